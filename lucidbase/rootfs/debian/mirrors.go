package debian

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"pault.ag/go/debian/control"

	"github.com/lucid-project/base-images/internal/mirror"
)

// The archives that Debian 12's packages lie in.
const (
	mainArchive     = "debian"
	securityArchive = "debian-security"
)

// Mirrors returns the mirrors to ask, for Archives.Mirrors: those that main and
// security name, then those of the machine's apt sources. main and security are
// base URLs, several with commas between, and may be empty. machine is the
// machine's root directory, of which only etc/apt is read; it may be nil.
//
// Of the apt sources, entries of other distributions and of other publishers,
// and whatever cannot be read, do not count.
func Mirrors(machine fs.FS, main, security string) (map[string][]string, error) {
	mirrors := map[string][]string{}
	for _, given := range []struct{ archive, urls string }{{mainArchive, main}, {securityArchive, security}} {
		for _, base := range strings.FieldsFunc(given.urls, func(r rune) bool { return r == ',' || r == ' ' }) {
			if !isWeb(base) {
				return nil, fmt.Errorf("reading mirrors of archive %s: %q is not an http or https URL", given.archive, mirror.Redact(base))
			}
			mirrors[given.archive] = append(mirrors[given.archive], strings.TrimRight(base, "/"))
		}
	}
	if machine != nil {
		for _, s := range aptSources(machine) {
			s.addTo(mirrors, machine)
		}
	}
	return mirrors, nil
}

func isWeb(base string) bool {
	u, err := url.Parse(base)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// source is an entry of apt's configuration.
type source struct {
	uris, suites, components []string
	signedBy                 string
}

// aptSources reads the entries in apt's own order.
func aptSources(machine fs.FS) []source {
	files, _ := fs.Glob(machine, "etc/apt/sources.list.d/*")
	files = append([]string{"etc/apt/sources.list"}, files...)
	var all []source
	for _, name := range files {
		data, err := fs.ReadFile(machine, name)
		if err != nil {
			continue
		}
		switch path.Ext(name) {
		case ".list":
			all = append(all, parseList(data)...)
		case ".sources":
			all = append(all, parseDeb822(data)...)
		}
	}
	return all
}

// parseList reads the format of one line an entry:
// deb [option=value ...] uri suite [component ...] (sources.list(5)).
func parseList(data []byte) []source {
	var all []source
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		rest, ok := strings.CutPrefix(strings.ReplaceAll(strings.TrimSpace(line), "\t", " "), "deb ")
		if !ok {
			continue
		}
		var s source
		if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
			var options string
			options, rest, _ = strings.Cut(rest[1:], "]")
			for _, option := range strings.Fields(options) {
				if key, value, _ := strings.Cut(option, "="); strings.EqualFold(key, "signed-by") {
					s.signedBy = value
				}
			}
		}
		if fields := strings.Fields(rest); len(fields) >= 2 {
			s.uris, s.suites, s.components = fields[:1], fields[1:2], fields[2:]
			all = append(all, s)
		}
	}
	return all
}

// parseDeb822 reads the format of one paragraph an entry.
func parseDeb822(data []byte) []source {
	reader, err := control.NewParagraphReader(bytes.NewReader(data), nil)
	if err != nil {
		return nil
	}
	paragraphs, err := reader.All()
	if err != nil {
		return nil
	}
	var all []source
	for _, p := range paragraphs {
		fields := map[string]string{} // apt does not mind case
		for key, value := range p.Values {
			fields[strings.ToLower(key)] = strings.TrimSpace(value)
		}
		if strings.EqualFold(fields["enabled"], "no") || !slices.Contains(strings.Fields(fields["types"]), "deb") {
			continue
		}
		all = append(all, source{
			uris:       strings.Fields(fields["uris"]),
			suites:     strings.Fields(fields["suites"]),
			components: strings.Fields(fields["components"]),
			signedBy:   fields["signed-by"],
		})
	}
	return all
}

// addTo adds the entry's URIs if it is one of Debian's archives.
func (s source) addTo(mirrors map[string][]string, machine fs.FS) {
	foreign := s.signedBy != "" && !strings.Contains(s.signedBy, "debian-archive")
	if foreign || !slices.Contains(s.components, "main") {
		return
	}
	for _, uri := range s.uris {
		for _, base := range expand(uri, machine) {
			base = strings.TrimRight(base, "/")
			archive := s.archive(base)
			if archive != "" && isWeb(base) && !slices.Contains(mirrors[archive], base) {
				mirrors[archive] = append(mirrors[archive], base)
			}
		}
	}
}

// archive returns which of Debian's archives a URI is: by the name of its directory,
// which is the same for every release, as all share one pool; or else by its suites.
func (s source) archive(base string) string {
	switch path.Base(base) {
	case mainArchive:
		return mainArchive
	case securityArchive:
		return securityArchive
	}
	for _, suite := range s.suites {
		switch suite {
		case "bookworm", "bookworm-updates":
			return mainArchive
		case "bookworm-security":
			return securityArchive
		}
	}
	return ""
}

// expand reads a list of mirrors (apt-transport-mirror(1)), as Debian's cloud
// images have; any other URI stands for itself.
func expand(uri string, machine fs.FS) []string {
	list, ok := strings.CutPrefix(uri, "mirror+file:")
	if !ok {
		return []string{uri}
	}
	data, err := fs.ReadFile(machine, strings.TrimLeft(list, "/"))
	if err != nil {
		return nil
	}
	var bases []string
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(fields[0], "#") {
			bases = append(bases, fields[0])
		}
	}
	return bases
}
