package keychain

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
)

// paths lists the configurations in the order in which they are asked.
func paths() []string {
	var all []string
	if file := os.Getenv("REGISTRY_AUTH_FILE"); file != "" {
		all = append(all, file)
	}
	home, _ := os.UserHomeDir() // without one there is less to ask
	switch dir := os.Getenv("DOCKER_CONFIG"); {
	case dir != "":
		all = append(all, filepath.Join(dir, config.ConfigFileName))
	case home != "":
		all = append(all, filepath.Join(home, ".docker", config.ConfigFileName))
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		all = append(all, filepath.Join(dir, "containers", "auth.json"))
	}
	switch dir := os.Getenv("XDG_CONFIG_HOME"); {
	case dir != "":
		all = append(all, filepath.Join(dir, "containers", "auth.json"))
	case home != "":
		all = append(all, filepath.Join(home, ".config", "containers", "auth.json"))
	}
	return all
}

// read reads a configuration. One that is not there is empty.
func read(path string) (*configfile.ConfigFile, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return configfile.New(path), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cf, err := config.LoadFromReader(f)
	if err != nil {
		return nil, err
	}
	cf.Filename = path
	return cf, nil
}
