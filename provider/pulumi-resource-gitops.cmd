@echo off
rem Starts the plugin; see pulumi-resource-gitops.
set main=%~dp0main.ts
if not exist "%main%" set main=%~dp0..\dist\provider\main.js
node "%main%" %*
