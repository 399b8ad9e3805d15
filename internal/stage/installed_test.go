package stage

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const venvSite = "lib/python3.11/site-packages"

// distributionIn installs files into a venv, with a true RECORD; their paths are
// relative to the venv.
func distributionIn(t *testing.T, venv, name string, files map[string]string) {
	t.Helper()
	var record strings.Builder
	lines := csv.NewWriter(&record)
	for _, at := range slices.Sorted(maps.Keys(files)) {
		put(t, filepath.Join(venv, at), files[at])
		from, err := filepath.Rel(filepath.Join(venv, venvSite), filepath.Join(venv, at))
		require.NoError(t, err)
		require.NoError(t, lines.Write([]string{from, "sha256=" + sum(files[at]), fmt.Sprint(len(files[at]))}))
	}
	require.NoError(t, lines.Write([]string{name + "-1.0.dist-info/RECORD", "", ""}))
	lines.Flush()
	put(t, filepath.Join(venv, venvSite, name+"-1.0.dist-info/RECORD"), record.String())
}

func put(t *testing.T, at, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
	require.NoError(t, os.WriteFile(at, []byte(text), 0o755))
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(s[:])
}

// record maps the paths of a RECORD, relative to the venv, to their hashes.
func record(t *testing.T, venv, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(venv, venvSite, name+"-1.0.dist-info/RECORD"))
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	require.NoError(t, err)
	all := map[string]string{}
	for _, row := range rows {
		require.Len(t, row, 3)
		all[filepath.Join(venvSite, row[0])] = strings.TrimPrefix(row[1], "sha256=")
	}
	return all
}

func tidy(t *testing.T, venv string) {
	t.Helper()
	python(t, "installed.tidy", []any{venv, filepath.Join(venv, venvSite)})
}

// kept lists the files of a venv.
func kept(t *testing.T, venv string) []string {
	t.Helper()
	var all []string
	require.NoError(t, fs.WalkDir(os.DirFS(venv), ".", func(at string, d fs.DirEntry, err error) error {
		if d != nil && (!d.IsDir() || d.Name() == "__pycache__") {
			all = append(all, at)
		}
		return err
	}))
	return all
}

// Bytecode with a source is compiled here. A module without one is all that there
// is.
func TestWheelsBytecode(t *testing.T) {
	venv := t.TempDir()
	const p = venvSite + "/"
	gone := map[string]string{
		p + "a/__pycache__/__init__.cpython-311.pyc": "x", p + "a/__pycache__/__init__.cpython-38.opt-1.pyc": "x", p + "a/__pycache__/gone.cpython-311.pyc": "x",
		p + "a/legacy.pyc": "x", p + "a/old.pyo": "x", "share/a/__pycache__/plugin.cpython-311.pyc": "x",
	}
	stays := map[string]string{
		p + "a/__init__.py": "", p + "a/legacy.py": "", p + "a/only.pyc": "x", p + "a/b,c.txt": "x", "share/a/plugin.py": "", p + "b/__pycache__/kernel.nbi": "x",
	}
	all := maps.Clone(gone)
	maps.Copy(all, stays)
	distributionIn(t, venv, "a", all)
	require.NoError(t, os.MkdirAll(filepath.Join(venv, "bin"), 0o755))
	tidy(t, venv)

	want := slices.Collect(maps.Keys(stays))
	want = append(want, p+"a-1.0.dist-info/RECORD", p+"b/__pycache__")
	require.ElementsMatch(t, want, kept(t, venv))
	listed := slices.Collect(maps.Keys(record(t, venv, "a")))
	require.ElementsMatch(t, append(slices.Collect(maps.Keys(stays)), p+"a-1.0.dist-info/RECORD"), listed)
}

// What a script's first line becomes; nothing where it is left out.
func TestWheelsScripts(t *testing.T) {
	venv := t.TempDir()
	own := "#!" + venv + "/bin/python"
	cases := map[string]string{
		own:                               own,
		"#!/usr/bin/env python":           own,
		"#!/usr/bin/env python3":          own,
		"#!/usr/bin/env python3.9":        own,
		"#!/usr/bin/env -S python3 -u":    own + " -u",
		"#!/usr/bin/python3":              own,
		"#! /usr/local/bin/python3.11 -E": own + " -E",
		"#!/usr/bin/python\r":             own,
		own + "\r":                        own,
		"#!python":                        own,
		"#!/home/me/.venv/bin/pythonw":    own,
		"no script":                       "no script",
		"\x7fELF":                         "\x7fELF",
		"#!/bin/sh":                       "",
		"#!/bin/bash -e":                  "",
		"#!/usr/bin/env bash":             "",
		"#!/usr/bin/env zsh":              "",
		"#!/usr/bin/perl -w":              "",
		"#!/usr/bin/env node":             "",
		"#!/usr/bin/env python2":          "",
		"#!/usr/bin/python2.7":            "",
		"#!/opt/ipython/bin/ipython":      "",
		"#!/usr/bin/pypy3":                "",
		"#!":                              "",
	}
	files := map[string]string{}
	names := map[string]string{}
	for i, first := range slices.Sorted(maps.Keys(cases)) {
		names[first] = fmt.Sprintf("bin/s%02d", i)
		files[names[first]] = first + "\nprint('\r')\n"
	}
	distributionIn(t, venv, "a", files)
	require.NoError(t, os.Symlink("s00", filepath.Join(venv, "bin/link")))
	tidy(t, venv)
	listed := record(t, venv, "a")
	for first, want := range cases {
		at := names[first]
		if want == "" {
			require.NoFileExists(t, filepath.Join(venv, at), "%q", first)
			require.NotContains(t, listed, at, "%q", first)
			continue
		}
		got, err := os.ReadFile(filepath.Join(venv, at))
		require.NoError(t, err, "%q", first)
		require.Equal(t, want+"\nprint('\r')\n", string(got))
		info, err := os.Stat(filepath.Join(venv, at))
		require.NoError(t, err)
		require.Equal(t, first != "no script", info.Mode()&0o111 != 0, "%q", first)
		require.Equal(t, sum(string(got)), listed[at], "%q", first)
	}
}

// Distributions that own one path are installed again, each alone; what is the same
// in all needs not.
func TestWheelsContested(t *testing.T) {
	venv := t.TempDir()
	const p = venvSite + "/"
	for name, files := range map[string]map[string]string{
		"delta": {p + "x/mod.py": "4"},
		"alpha": {p + "x/mod.py": "1", p + "tests/__init__.py": ""},
		"beta":  {p + "tests/__init__.py": "", p + "x/other.py": "2"},
		"gamma": {"bin/tool": "3"},
		"omega": {"bin/tool": "5", p + "tests/__init__.py": ""},
	} {
		distributionIn(t, venv, name, files)
	}
	require.Equal(t, []any{[]any{"alpha", "delta", "gamma", "omega"}}, python(t, "installed.contested", []any{filepath.Join(venv, venvSite)}))
}

// Libraries that would be loaded from the current directory are loaded from beside each
// other, and RECORD knows. What only looks like that stays as it is.
func TestLibrariesLookBesideThemselves(t *testing.T) {
	venv := t.TempDir()
	const elf = "\x7fELF\x02\x01\x01\x00"
	before := map[string]string{
		"Two.libs/liba.so.1": elf + "libb.so.1\x00Two.libs\x00tail\x00", "Two.libs/libb.so.1": elf + "\x00$ORIGIN\x00Two.libsx\x00", "Two.libs/text": "\x00Two.libs\x00",
		"x.libs/libx.so": elf + "\x00x.libs\x00", "two/_two.so": elf + "\x00Two.libs\x00",
	}
	files := map[string]string{}
	for name, text := range before {
		files[venvSite+"/"+name] = text
	}
	distributionIn(t, venv, "two", files)
	require.NoError(t, os.MkdirAll(filepath.Join(venv, "bin"), 0o755))
	tidy(t, venv)
	files[venvSite+"/Two.libs/liba.so.1"] = elf + "libb.so.1\x00$ORIGIN\x00\x00tail\x00"
	listed := record(t, venv, "two")
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(venv, name))
		require.NoError(t, err)
		require.Equal(t, want, string(got), name)
		require.Equal(t, sum(want), listed[name], name)
	}
}
