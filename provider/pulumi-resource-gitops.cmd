@echo off
rem Starts the plugin; see pulumi-resource-gitops.
node "%~dp0main.ts" %*
