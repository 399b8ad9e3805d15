package keychain

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
)

// HelperError is a credential helper that is not installed, or fails.
type HelperError struct {
	// Program is the helper's.
	Program string
	Err     error
}

// Error names the program.
func (e *HelperError) Error() string {
	return fmt.Sprintf("asking the credential helper %s: %v", e.Program, e.Err)
}

// Unwrap returns the cause, which is exec.ErrNotFound where the program is not installed.
func (e *HelperError) Unwrap() error { return e.Err }

// kept is how long a helper's answer is used: many repositories of one registry are
// often pushed to, and some helpers take a second.
const kept = 5 * time.Minute

type answer struct {
	at    time.Time
	found types.AuthConfig
}

// answers are those of helpers, and a lock for each.
var answers struct {
	mu    sync.Mutex
	known map[string]answer
}

// ask asks a configuration, and the helper that it names, if any, for a key. A helper that
// waits for a person ends with ctx as far as the caller is concerned.
func ask(ctx context.Context, cf *configfile.ConfigFile, helper, key string) (types.AuthConfig, error) {
	if helper == "" {
		found, err := cf.GetAuthConfig(key)
		if cleared(found) == (types.AuthConfig{}) {
			found = cf.AuthConfigs[key] // Docker's own code knows Docker Hub by one name
		}
		return cleared(found), err
	}
	program := "docker-credential-" + helper
	if _, err := exec.LookPath(program); err != nil {
		return types.AuthConfig{}, &HelperError{program, exec.ErrNotFound}
	}
	type result struct {
		found types.AuthConfig
		err   error
	}
	done := make(chan result, 1)
	go func() {
		found, err := askHelper(cf, program, key)
		done <- result{found, err}
	}()
	select {
	case r := <-done:
		return r.found, r.err
	case <-ctx.Done():
		return types.AuthConfig{}, context.Cause(ctx)
	}
}

func askHelper(cf *configfile.ConfigFile, program, key string) (types.AuthConfig, error) {
	answers.mu.Lock()
	defer answers.mu.Unlock()
	id := strings.Join([]string{cf.Filename, program, key}, "\x00")
	if a, ok := answers.known[id]; ok && time.Since(a.at) < kept {
		return a.found, nil
	}
	found, err := cf.GetAuthConfig(key)
	switch {
	case err != nil && strings.Contains(err.Error(), `"Secret"`):
		return types.AuthConfig{}, &HelperError{program, fmt.Errorf("its answer for %s cannot be read", key)} // and the cause quotes it
	case err != nil:
		return types.AuthConfig{}, &HelperError{program, err}
	}
	if answers.known == nil {
		answers.known = map[string]answer{}
	}
	answers.known[id] = answer{time.Now(), cleared(found)}
	return cleared(found), nil
}
