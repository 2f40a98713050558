@echo off
rem Starts the plugin; see pulumi-resource-gitops.
set main=%~dp0main.ts
if not exist "%main%" set main=%~dp0..\dist\provider\main.js
if not defined NODE_COMPILE_CACHE set NODE_COMPILE_CACHE=%~dp0..\node_modules\.cache\gitops
node --max-semi-space-size=4 "%main%" %*
