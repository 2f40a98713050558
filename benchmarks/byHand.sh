#!/usr/bin/env bash
# The way by hand: with az, one command after another, as guides to GitOps on AKS have it, each step with its seconds.
# What these guides used and Azure no longer has is replaced: pod identity, with its roles on nodes and identities, by
# workload identity, access policies by roles. It needs no more than the rights of a rehearsal's deployer.
#
#   benchmarks/byHand.sh NAME LOCATION IMAGE...
#
# NAME begins the names of all resources; each IMAGE is imported into the registry. az has to be signed in, in a rehearsal:
#   npm run rehearse -- exec -- "$PWD/benchmarks/byHand.sh" demo westeurope ghcr.io/stefanprodan/podinfo:6.14.1
set -euo pipefail
export AZURE_CORE_ONLY_SHOW_ERRORS=1

name=$1 location=$2
shift 2
group=rg-$name cluster=aks-$name registry=acr$name vault=kv-$name identity=id-$name-decryptor
kubeconfig=$(mktemp)
trap 'rm -f "$kubeconfig"' EXIT

# step WORDS COMMAND...: runs a command, and says how long it took.
step() {
  local words=$1 began=$SECONDS
  shift
  "$@" >/dev/null
  echo "$((SECONDS - began)) s  $words"
}

for namespace in Microsoft.Kubernetes Microsoft.ContainerService Microsoft.KubernetesConfiguration; do
  step "register $namespace" az provider register --namespace "$namespace"
done
step "resource group" az group create -n "$group" -l "$location"
step "registry" az acr create -g "$group" -n "$registry" --sku Premium
for image in "$@"; do
  step "import $image" az acr import --source "$image" -n "$registry" --force
done
step "cluster" az aks create -g "$group" -n "$cluster" --enable-managed-identity --enable-oidc-issuer \
  --enable-workload-identity --no-ssh-key
step "credentials" az aks get-credentials -g "$group" -n "$cluster" --file "$kubeconfig" --overwrite-existing

registry_id=$(az acr show -g "$group" -n "$registry" --query id -o tsv)
step "service principal that pulls" az ad sp create-for-rbac -n "sp-$name-acrpull" --role AcrPull --scopes "$registry_id"

step "identity that decrypts" az identity create -n "$identity" -g "$group" -l "$location"
object_id=$(az identity show -n "$identity" -g "$group" -o tsv --query principalId)
issuer=$(az aks show -g "$group" -n "$cluster" -o tsv --query oidcIssuerProfile.issuerUrl)
step "trust in the cluster" az identity federated-credential create -n kustomize-controller -g "$group" \
  --identity-name "$identity" --issuer "$issuer" --audiences api://AzureADTokenExchange \
  --subject system:serviceaccount:flux-system:kustomize-controller

step "vault" az keyvault create -n "$vault" -g "$group" -l "$location"
vault_id=$(az keyvault show -n "$vault" -g "$group" -o tsv --query id)
# Through Azure Resource Manager: the vault's own API asks for the role Key Vault Crypto Officer, which a deployer may not
# give itself.
key_url="https://management.azure.com$vault_id/keys/sops-key?api-version=2023-07-01"
step "key" az rest --method put --url "$key_url" \
  --body '{"properties": {"kty": "RSA", "keySize": 2048, "keyOps": ["encrypt", "decrypt"]}}'
step "role that decrypts" az role assignment create --role "Key Vault Crypto User" --scope "$vault_id" \
  --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal
az rest --method get --url "$key_url" --query properties.keyUriWithVersion -o tsv
echo "$SECONDS s  all of it"
