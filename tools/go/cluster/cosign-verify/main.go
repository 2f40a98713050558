// Says whether an image in a registry is signed with a key, as cosign itself would: by its library, in the version that
// Flux's source-controller has too. `cosign-verify [-user NAME] -key FILE REFERENCE`, with the password on standard input
// where there is a user. The exit status is 1 where no signature is right, and 2 where that could not be asked.
package main

import (
	"bufio"
	"context"
	"crypto"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sigstore/cosign/v3/pkg/cosign"
	ociremote "github.com/sigstore/cosign/v3/pkg/oci/remote"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

func main() {
	user := flag.String("user", "", "the registry's user; the password is read from standard input")
	key := flag.String("key", "", "the file of the public key, in PEM")
	flag.Parse()
	if *key == "" || flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	count, refusal, err := verify(ctx, flag.Arg(0), *key, *user)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if refusal != nil {
		fmt.Fprintf(os.Stderr, "refused: %v\n", refusal)
		os.Exit(1)
	}
	fmt.Printf("signed: %d\n", count)
}

// verify counts the signatures that are right. What is wrong with the image is a refusal, all else an error.
func verify(ctx context.Context, reference, key, user string) (count int, refusal, err error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return 0, nil, err
	}
	pem, err := os.ReadFile(key)
	if err != nil {
		return 0, nil, err
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
	if err != nil {
		return 0, nil, err
	}
	verifier, err := signature.LoadVerifier(public, crypto.SHA256)
	if err != nil {
		return 0, nil, err
	}
	auth := authn.Anonymous
	if user != "" {
		password, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil && password == "" {
			return 0, nil, errors.New("no password on standard input")
		}
		auth = &authn.Basic{Username: user, Password: strings.TrimSpace(password)}
	}
	registry := []remote.Option{remote.WithAuth(auth), remote.WithContext(ctx)}
	// Else an image that cannot be read would look like one without a signature.
	if _, err := remote.Head(ref, registry...); err != nil {
		return 0, nil, err
	}
	options := &cosign.CheckOpts{
		RegistryClientOpts: []ociremote.Option{ociremote.WithRemoteOptions(registry...)},
		SigVerifier:        verifier,
		// Else a signature of another image would do under this one's tag.
		ClaimVerifier: cosign.SimpleClaimVerifier,
		// A key of one's own, in no public log.
		IgnoreTlog: true,
		Offline:    true,
	}
	bundles, _, failure := cosign.GetBundles(ctx, ref, options.RegistryClientOpts)
	if failure == nil && len(bundles) > 0 {
		options.NewBundleFormat = true
		options.ClaimVerifier = nil
		attested, _, refusal := cosign.VerifyImageAttestations(ctx, ref, options)
		return len(attested), refusal, nil
	}
	signed, _, refusal := cosign.VerifyImageSignatures(ctx, ref, options)
	return len(signed), refusal, nil
}
