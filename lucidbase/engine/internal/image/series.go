package image

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/mod/semver"

	"github.com/lucid-project/base-images/internal/keychain"
)

// SeriesTag is the tag of a version's series, such as v1.4 of v1.4.2.
type SeriesTag struct {
	Tag name.Tag
	// Later is the version for which the tag stays; empty means that it moves.
	Later string
}

// IsVersion reports whether a tag is a semantic version, with or without v.
func IsVersion(tag string) bool {
	v := canonical(tag)
	return semver.IsValid(v) && semver.Canonical(v) == v
}

func canonical(tag string) string { return "v" + strings.TrimPrefix(tag, "v") }

// Series returns the tags of a version's series, narrowest first, when a repository has
// these tags. What is no version has no series, nor has a prerelease.
func Series(version name.Tag, has []string) []SeriesTag {
	v := canonical(version.TagStr())
	if !IsVersion(v) || semver.Prerelease(v) != "" {
		return nil
	}
	prefix := strings.TrimSuffix(version.TagStr(), strings.TrimPrefix(v, "v"))
	var all []SeriesTag
	for _, of := range []func(string) string{semver.MajorMinor, semver.Major} {
		s := SeriesTag{Tag: version.Context().Tag(prefix + strings.TrimPrefix(of(v), "v"))}
		latest := v
		for _, tag := range has {
			w := canonical(tag)
			if IsVersion(w) && semver.Prerelease(w) == "" && of(w) == of(v) && semver.Compare(w, latest) > 0 {
				latest, s.Later = w, tag
			}
		}
		all = append(all, s)
	}
	return all
}

// ListTags asks a registry for a repository's tags. A repository that does not exist has
// none.
func ListTags(ctx context.Context, repo name.Repository, rt http.RoundTripper) ([]string, error) {
	tags, err := remote.List(repo, remote.WithContext(ctx), remote.WithTransport(rt),
		remote.WithAuthFromKeychain(keychain.Default), remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
	var answer *transport.Error
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return nil, nil
	case err != nil:
		return nil, oneLine{err}
	}
	return tags, nil
}

// series moves the tags of the targets' series, once their versions' own have moved: of
// two pushes at once, the one that asks later knows of the other.
func (p *pusher) series(ctx context.Context, targets []Target) error {
	for _, t := range targets {
		if !t.Series || len(Series(t.Tag, nil)) == 0 {
			continue
		}
		var has []string
		err := p.do(ctx, t.Tag.Context(), "listing tags for the series of "+t.Tag.TagStr(), func() (err error) {
			has, err = ListTags(ctx, t.Tag.Context(), p.reader.answers)
			return err
		})
		if err != nil {
			return err
		}
		for _, s := range Series(t.Tag, has) {
			if s.Later == "" {
				if err := p.put(ctx, s.Tag, t.Index); err != nil {
					return err
				}
			}
			p.moved = append(p.moved, s)
		}
	}
	return nil
}
