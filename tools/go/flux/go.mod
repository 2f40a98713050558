module aks-gitops.invalid/tools/flux

go 1.26.0

// The pin of a source alone: it is built from a completed copy, with the go.sum of its own (see tools/fluxSource.ts).
require github.com/fluxcd/flux2/v2 v2.9.4
