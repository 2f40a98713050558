@echo off
rem Starts the plugin; see pulumi-resource-gitops.
if not "%HTTPS_PROXY%"=="" set NODE_USE_ENV_PROXY=1
node "%~dp0main.ts" %*
