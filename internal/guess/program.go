package guess

import (
	"go/format"
	"strings"
	"text/template"
)

var program = template.Must(template.New("main.go").Parse(`// Command {{.Name}} builds the service {{.Name}}: "go run . build", or "go run . run {{.Name}}".
package main

import (
{{- if .Lock}}
	"log"
	"os"
{{end}}
	"github.com/lucid-project/base-images/lucidbase/command"
{{- if .Lock}}
	"github.com/lucid-project/base-images/lucidbase/lock"
{{- end}}
	"github.com/lucid-project/base-images/variants"
)

func main() {
{{- if .Lock}}
	locked, err := lock.Read(os.DirFS("."), {{printf "%q" .Lock}})
	if err != nil {
		log.Fatal(err)
	}
{{- end}}
{{- if .System}}
	system, err := lock.ReadSystem(os.DirFS("."), "system.lock.json")
	if err != nil {
		log.Fatal(err)
	}
{{- end}}
	command.Main(variants.Service{
		Name: {{printf "%q" .Name}},
{{- if .Lock}}
		Base: variants.Python{},
		Lock: locked,
{{- if .System}}
		System: system,
{{- end}}
{{- else}}
		Base: variants.Bare{},
{{- end}}
		Source: []variants.Source{{"{{"}}From: variants.Dir({{printf "%q" .From}}), To: {{printf "%q" .To}}{{if .Exclude}}, Exclude: {{printf "%#v" .Exclude}}{{end}}{{"}}"}},
		Command: {{printf "%#v" .Command}},
{{- if .Port}}
		Port: {{.Port}},
		Health: variants.Health{ {{- if .Path}}Path: {{printf "%q" .Path}}{{else}}TCP: true{{end -}} },
{{- end}}
	})
}
`))

// Go is the project as a program.
func (p Project) Go() (string, error) {
	var b strings.Builder
	if err := program.Execute(&b, p); err != nil {
		return "", err
	}
	text, err := format.Source([]byte(b.String()))
	return string(text), err
}
