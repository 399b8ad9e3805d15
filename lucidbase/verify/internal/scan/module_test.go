package scan

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/pysource"
)

// Sources of an application are read, those of installed packages are not.
func TestModules(t *testing.T) {
	const site = "/usr/lib/python3.11/site-packages/"
	for path, c := range map[string]struct {
		body string
		want *pysource.Module
	}{
		"/app/main.py":             {"import yaml\n", &pysource.Module{Steps: []pysource.Step{{Action: pysource.Import, Line: 1, Module: "yaml"}}, Names: []string{"yaml"}}},
		"/app/python3.11/main.py":  {"x = 1", &pysource.Module{Names: []string{"x"}}}, // of no lib
		"/usr/bin/serve":           {"#!/usr/bin/python3 -I\nfrom a import b\n", &pysource.Module{Steps: []pysource.Step{{Action: pysource.From, Line: 2, Module: "a", Names: []string{"b"}}}, Names: []string{"b"}}},
		"/usr/bin/other":           {"#!/usr/bin/perl\nimport a\n", nil},
		"/app/data.txt":            {"import a\n", nil},
		"/app/large.py":            {"import a\n" + strings.Repeat("#", pysource.MaxSize), unread},
		site + "a/b.py":            {"import sys; sys.modules['x'] = 1\n", nil},
		site + "a/__init__.py":     {"import b\n", nil},
		site + "b/__init__.py":     {"sys.modules['b.c'] = 1\n", &pysource.Module{Unread: true, Hooked: true}},
		"/usr/lib/python3.11/x.py": {"import b\n", nil},
	} {
		facts, err := Layer(context.Background(), bytesLayer(tarOf(t, file(path, c.body))))
		require.NoError(t, err, path)
		require.Equal(t, c.want, facts.Files[0].Module, path)
	}
}

// What is kept of all sources has a limit.
func TestModulesBounded(t *testing.T) {
	var entries []tarEntry
	for i := range 10 {
		entries = append(entries, file(fmt.Sprintf("/app/m%d.py", i), strings.Repeat("x", 100)+" = 1\n"))
	}
	small := realLimits
	small.modules = 500
	facts, err := read(context.Background(), bytesLayer(tarOf(t, entries...)), small)
	require.NoError(t, err)
	read := 0
	for _, f := range facts.Files {
		if !f.Module.Unread {
			read++
		}
	}
	require.Equal(t, 3, read)
}
