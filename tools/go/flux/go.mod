module aks-gitops.invalid/tools/flux

go 1.26.0

// The pins of sources alone: the CLI is built from a completed copy, with the go.sum of its own (see tools/fluxSource.ts).
require (
	github.com/fluxcd/flux2/v2 v2.9.4
	github.com/fluxcd/image-automation-controller v1.2.4
	github.com/fluxcd/image-reflector-controller v1.2.4
)
