@echo off
rem Starts the plugin; see pulumi-resource-gitops.
node --require "%~dp0..\tools\nodeVersion.cjs" "%~dp0main.ts" %*
