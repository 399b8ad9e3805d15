package resolve

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"pault.ag/go/debian/control"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// maxRelease limits a suite's InRelease file; bookworm's has 150 kB.
const maxRelease = 4 << 20

// clockSkew is how far in the future a suite may be dated: clocks differ.
const clockSkew = time.Hour

// strongHashes are the hashes that a signature may be made of: the OpenPGP
// library itself would accept SHA-1 (RFC 9580, section 9.5).
var strongHashes = []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_512}

// release is a suite's signed index of indexes
// (https://wiki.debian.org/DebianRepository/Format).
type release struct {
	suite  lock.Suite
	byHash bool // indexes are served by their hash as well
	files  map[string]indexFile
}

// indexFile is a file of a suite, by its path below the suite's directory.
type indexFile struct {
	path   string
	size   int64
	sha256 string
}

// fetchRelease reads a suite's InRelease. A mirror that serves an old or a
// damaged one is passed over.
func (r debianResolver) fetchRelease(ctx context.Context, suite ListedSuite) (release, error) {
	var rel release
	_, err := r.source.Fetch(ctx, suite.Archive, "dists/"+suite.Name+"/InRelease", maxRelease, func(data []byte) (err error) {
		rel, err = parseRelease(data, suite, r.keys[suite.Archive], r.now)
		return err
	})
	if err != nil {
		return release{}, fmt.Errorf("archive %s: suite %s: %w", suite.Archive, suite.Name, err)
	}
	return rel, nil
}

// parseRelease checks everything about an InRelease file: who signed it, that it
// is the suite that was asked for, and that it is of its time.
func parseRelease(data []byte, suite ListedSuite, keys []archiveKey, now time.Time) (release, error) {
	text, key, err := verifySigned(data, keys, now)
	if err != nil {
		return release{}, fmt.Errorf("verifying InRelease: %w", err)
	}
	rel, err := readRelease(text, suite, now)
	if err != nil {
		return release{}, fmt.Errorf("reading InRelease: %w", err)
	}
	rel.suite.Key = key
	return rel, nil
}

// verifySigned returns the signed text and the fingerprint of the first key that
// signed it. Nothing may stand outside of what is signed.
func verifySigned(data []byte, keys []archiveKey, now time.Time) ([]byte, string, error) {
	block, rest := clearsign.Decode(data)
	if block == nil {
		return nil, "", errors.New("it is not signed")
	}
	// Decode skips what comes before the message.
	if !bytes.HasPrefix(data, []byte("-----BEGIN PGP SIGNED MESSAGE-----")) || len(bytes.TrimSpace(rest)) > 0 {
		return nil, "", errors.New("text outside of the signed part")
	}
	signatures, err := io.ReadAll(block.ArmoredSignature.Body)
	if err != nil {
		return nil, "", fmt.Errorf("signature: %w", err)
	}
	cause := errors.New("no signature by a known key of this archive")
	for _, key := range keys {
		err := key.verify(block.Bytes, signatures, now)
		if err == nil {
			return block.Plaintext, key.fingerprint(), nil
		}
		if !errors.Is(err, pgperrors.ErrUnknownIssuer) {
			cause = fmt.Errorf("key %s: %w", key.fingerprint(), err)
		}
	}
	return nil, "", cause
}

func (k archiveKey) verify(text, signatures []byte, now time.Time) error {
	config := &packet.Config{Time: func() time.Time { return now.Add(clockSkew) }}
	ring := openpgp.EntityList{k.entity}
	sig, _, err := openpgp.VerifyDetachedSignature(ring, bytes.NewReader(text), bytes.NewReader(signatures), config)
	if err != nil {
		return err
	}
	if !slices.Contains(strongHashes, sig.Hash) {
		return fmt.Errorf("the signature's hash %s is too weak", sig.Hash)
	}
	return nil
}

func readRelease(text []byte, suite ListedSuite, now time.Time) (release, error) {
	reader, err := control.NewParagraphReader(bytes.NewReader(text), nil)
	if err != nil {
		return release{}, err
	}
	p, err := reader.Next()
	if err != nil {
		return release{}, err
	}
	rel := release{
		suite:  lock.Suite{Archive: suite.Archive, Name: suite.Name},
		byHash: p.Values["Acquire-By-Hash"] == "yes",
	}
	if codename := p.Values["Codename"]; codename != suite.Name && p.Values["Suite"] != suite.Name {
		return release{}, fmt.Errorf("it is of suite %q, codename %q", p.Values["Suite"], codename)
	}
	if rel.suite.Date, err = parseDate(p.Values["Date"]); err != nil {
		return release{}, fmt.Errorf("field Date: %w", err)
	}
	if rel.suite.Date.After(now.Add(clockSkew)) {
		return release{}, fmt.Errorf("it is of %s, which is yet to come", p.Values["Date"])
	}
	if until, ok := p.Values["Valid-Until"]; ok {
		end, err := parseDate(until)
		if err != nil {
			return release{}, fmt.Errorf("field Valid-Until: %w", err)
		}
		if now.After(end) {
			return release{}, fmt.Errorf("it expired on %s", until)
		}
	}
	rel.files, err = parseFiles(p.Values["SHA256"])
	return rel, err
}

// parseDate reads a date as apt does: RFC 1123, and in UTC only.
func parseDate(s string) (time.Time, error) {
	if !strings.HasSuffix(s, " UTC") && !strings.HasSuffix(s, " GMT") {
		return time.Time{}, fmt.Errorf("%q is no date in UTC", s)
	}
	t, err := time.ParseInLocation("Mon, _2 Jan 2006 15:04:05", s[:len(s)-len(" UTC")], time.UTC)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no date in UTC", s)
	}
	return t, nil
}

// parseFiles reads the lines "hash size path" of the field SHA256.
func parseFiles(field string) (map[string]indexFile, error) {
	files := map[string]indexFile{}
	for line := range strings.Lines(field) {
		columns := strings.Fields(line)
		if len(columns) == 0 {
			continue
		}
		if len(columns) != 3 || !isSHA256(columns[0]) {
			return nil, fmt.Errorf("field SHA256: %q is not a hash, a size and a path", strings.TrimSpace(line))
		}
		size, err := strconv.ParseInt(columns[1], 10, 64)
		if err != nil || size < 0 {
			return nil, fmt.Errorf("field SHA256: %s: size %q is not a number of bytes", columns[2], columns[1])
		}
		files[columns[2]] = indexFile{path: columns[2], size: size, sha256: columns[0]}
	}
	return files, nil
}
