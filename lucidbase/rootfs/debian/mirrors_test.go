package debian

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestMirrors(t *testing.T) {
	const deb822 = `# the machine's own
Types: deb deb-src
URIs: http://one.example/debian/ https://two.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

types: deb
uris: http://one.example/debian-security
suites: bookworm-security
components: main
`
	for name, c := range map[string]struct {
		main, security string
		files          map[string]string
		want           map[string][]string
	}{
		"nothing": {want: map[string][]string{}},
		"given, then the machine's, each once": {
			main:     "https://first.example/debian/,http://one.example/debian",
			security: "https://first.example/security",
			files:    map[string]string{"sources.list.d/debian.sources": deb822},
			want: map[string][]string{
				"debian":          {"https://first.example/debian", "http://one.example/debian", "https://two.example/debian"},
				"debian-security": {"https://first.example/security", "http://one.example/debian-security"},
			},
		},
		"one line an entry": {
			files: map[string]string{"sources.list": "" +
				"deb http://a.example/debian bookworm main # comment\n" +
				"#deb http://off.example/debian bookworm main\n" +
				"deb-src http://source.example/debian bookworm main\n" +
				"deb\t[ arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ] http://b.example/debian-security bookworm-security main\n" +
				"deb cdrom:[Debian]/ bookworm main\n" +
				"deb http://cut.example/debian\n"},
			want: map[string][]string{"debian": {"http://a.example/debian"}, "debian-security": {"http://b.example/debian-security"}},
		},
		"another directory, but the suite tells": {
			files: map[string]string{"sources.list": "deb https://company.example/remote-a bookworm main\ndeb https://company.example/remote-b bookworm-security main\n"},
			want:  map[string][]string{"debian": {"https://company.example/remote-a"}, "debian-security": {"https://company.example/remote-b"}},
		},
		"another release shares the pool": {
			files: map[string]string{"sources.list": "deb http://a.example/debian trixie main\ndeb http://a.example/debian-security trixie-security main\n"},
			want:  map[string][]string{"debian": {"http://a.example/debian"}, "debian-security": {"http://a.example/debian-security"}},
		},
		"other publishers": {
			files: map[string]string{
				"sources.list":             "deb http://a.example/ubuntu noble main\ndeb [signed-by=/etc/apt/keyrings/docker.asc] http://b.example/linux/debian bookworm main\ndeb http://b.example/linux/debian bookworm stable\n",
				"sources.list.d/x.sources": "Types: deb\nURIs: http://c.example/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n",
			},
			want: map[string][]string{},
		},
		"disabled, other names, broken": {
			files: map[string]string{
				"sources.list.d/a.sources":          "Enabled: no\n" + deb822[strings.Index(deb822, "Types"):strings.Index(deb822, "\n\n")],
				"sources.list.d/b.sources.disabled": deb822,
				"sources.list.d/c.sources":          "no colon here\n",
				"sources.list.d/d.list":             "deb http://d.example/debian bookworm main\n",
			},
			want: map[string][]string{"debian": {"http://d.example/debian"}},
		},
		"list of mirrors": {
			files: map[string]string{
				"sources.list.d/debian.sources": "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list mirror+file:/etc/apt/none\nSuites: bookworm\nComponents: main\n",
				"mirrors/debian.list":           "# best first\nhttp://a.example/debian\tpriority:1\nhttp://b.example/debian\n",
			},
			want: map[string][]string{"debian": {"http://a.example/debian", "http://b.example/debian"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			machine := fstest.MapFS{}
			for file, text := range c.files {
				machine["etc/apt/"+file] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := Mirrors(machine, c.main, c.security)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestMirrorsGivenWrong(t *testing.T) {
	_, err := Mirrors(nil, "http://ok.example/debian,ftp://old.example/debian", "")
	require.EqualError(t, err, `reading mirrors of archive debian: "ftp://old.example/debian" is not an http or https URL`)
	_, err = Mirrors(nil, "", "debian.example")
	require.EqualError(t, err, `reading mirrors of archive debian-security: "debian.example" is not an http or https URL`)
}

func FuzzMirrors(f *testing.F) {
	f.Add("deb [arch=amd64] http://a.example/debian bookworm main\n", "Types: deb\nURIs: http://a.example/debian\nSuites: bookworm\nComponents: main\n")
	f.Add("deb [", " continuation\n.\n:\n")
	f.Add("", "Types: deb\nURIs: mirror+file:///../x mirror+file: http://%zz/debian\nSuites: bookworm\nComponents: main\n")
	f.Fuzz(func(t *testing.T, list, deb822 string) {
		machine := fstest.MapFS{
			"etc/apt/sources.list":             {Data: []byte(list)},
			"etc/apt/sources.list.d/x.sources": {Data: []byte(deb822)},
		}
		mirrors, err := Mirrors(machine, "", "")
		require.NoError(t, err)
		for archive, bases := range mirrors {
			require.Contains(t, []string{mainArchive, securityArchive}, archive)
			for _, base := range bases {
				require.True(t, isWeb(base), base)
			}
		}
	})
}
