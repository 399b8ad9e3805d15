package resolve

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/lucid-project/base-images/internal/explain"
)

// ReadRequest reads a requirements file and what it includes, and returns the
// request to lock it for every base image, with nothing of any base's: set Base
// or Targets for another. What can be seen to be wrong with the list is the error,
// a line each.
func ReadRequest(_ context.Context, file string) (Request, error) {
	project, err := explain.Read(filepath.ToSlash(filepath.Clean(file)), os.ReadFile, os.Getenv)
	if err != nil {
		return Request{}, err
	}
	var errs []error
	for _, f := range project.Findings() {
		errs = append(errs, errors.New(f.String()))
	}
	if err := errors.Join(errs...); err != nil {
		return Request{}, err
	}
	lists, err := DefaultLists()
	if err != nil {
		return Request{}, err
	}
	return Request{
		Name: file, Input: project.Input(), Tiers: lists.Python, Libraries: lists.Debian.Libraries,
		Leftovers: project.Leftovers(), Written: project.Written(),
	}, nil
}
