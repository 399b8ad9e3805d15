package file_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

var update = flag.Bool("update", false, "write schema.json")

type object = map[string]any

// special are the schemas, with descriptions, of what is another thing in the file than
// in Go.
var special = map[reflect.Type]object{
	reflect.TypeFor[variants.Base](): {
		"enum":        variants.Names(),
		"description": "The base image that the service stands on.",
	},
	reflect.TypeFor[variants.From](): {
		"type": "string", "minLength": 1,
		"description": "The directory, relative to this file. Its .dockerignore counts or, where it has none, that of its Git repository.",
	},
	reflect.TypeFor[lock.Packages](): {
		"type": "string", "minLength": 1,
		"description": "The lock of all packages of the image, NAME.lock.txt, relative to this file: \"lucidbase lock -f FILE\" writes it from NAME.in or NAME.txt. None means the packages of the base.",
	},
	reflect.TypeFor[lock.System](): {
		"type": "array", "items": object{"type": "string", "pattern": "^[a-z0-9][a-z0-9+.-]+$"},
		"description": "Debian packages that the service needs besides those of its base, such as libpq5: \"lucidbase lock -f FILE\" locks them, with what they need, in NAME.system.lock.json beside this file, where NAME is the service or, in defaults, this file. A base that is not Debian can have none.",
	},
	reflect.TypeFor[time.Duration](): {"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`},
}

// comments are the doc comments of structs' fields, by "Type.Field".
func comments(t *testing.T) map[string]string {
	all := map[string]string{}
	for _, dir := range []string{"../../variants", "../verify"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, name := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			require.NoError(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if st, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range st.Fields.List {
						for _, name := range f.Names {
							all[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
						}
					}
				}
				return true
			})
		}
	}
	return all
}

// of returns the schema of a type.
func of(t *testing.T, typ reflect.Type, docs map[string]string) object {
	if s, ok := special[typ]; ok {
		return maps.Clone(s)
	}
	switch typ.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.String:
		return object{"type": []string{"string", "number"}}
	case reflect.Slice:
		return object{"type": "array", "items": of(t, typ.Elem(), docs)}
	case reflect.Map:
		require.Equal(t, reflect.TypeFor[map[string]string](), typ)
		return object{"type": "object", "additionalProperties": of(t, typ.Elem(), docs)}
	case reflect.Struct:
		properties := object{}
		for name, i := range file.Fields(typ) {
			field := typ.Field(i)
			s := of(t, field.Type, docs)
			if s["description"] == nil {
				s["description"] = docs[typ.Name()+"."+field.Name]
			}
			require.NotEmpty(t, s["description"], "%s.%s has no doc comment", typ, field.Name)
			properties[name] = s
		}
		require.NotEmpty(t, properties, "%s has no fields: a field of it needs an entry in kinds and in special", typ)
		return object{"type": "object", "properties": properties, "additionalProperties": false}
	}
	require.FailNow(t, "a field of a type that a file has no form for", "%s", typ)
	return nil
}

// The schema follows from the structs: this test writes it.
func TestSchemaIsCurrent(t *testing.T) {
	service := object{"$ref": "#/definitions/service"}
	data, err := json.MarshalIndent(object{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       file.Name,
		"description": "Services that the command lucidbase builds.",
		"type":        "object",
		"properties": object{
			"defaults": object{"$ref": "#/definitions/service", "description": "What the services share. A service's own values take their place; mappings are merged, and source and waivers are added."},
			"services": object{"type": "object", "minProperties": 1, "additionalProperties": service, "description": "The services by their names, which are the images' names without a registry."},
		},
		"required":             []string{"services"},
		"additionalProperties": false,
		"definitions":          object{"service": of(t, reflect.TypeFor[variants.Service](), comments(t))},
	}, "", "  ")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("schema.json", append(data, '\n'), 0o644))
		return // the one of this program is the old one
	}
	require.Equal(t, string(data)+"\n", file.Schema(), "go test ./lucidbase/file -update")
}

func validator(t *testing.T) func(text string) error {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(file.Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", doc))
	compiled, err := c.Compile("schema.json")
	require.NoError(t, err)
	return func(text string) error {
		var value any
		require.NoError(t, yaml.Load([]byte(text), &value))
		data, err := json.Marshal(value)
		require.NoError(t, err)
		value, err = jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		require.NoError(t, err)
		return compiled.Validate(value)
	}
}

// What Load takes the schema takes, and the reverse.
func TestSchemaAgreesWithLoad(t *testing.T) {
	validate := validator(t)
	good := []string{full, sample(), "services: {a: {}}", "services: {a: {base: alpine, health: {interval: 1.5s}}}"}
	for _, text := range good {
		require.NoError(t, validate(text), "%s", text)
		_, err := load(text)
		require.NoError(t, err, "%s", text)
	}
	for _, text := range []string{
		"{}", "[]", "services: {}", "services: []", "service: {}", "services: {a: }", "services: {a: [x]}", "services: {a: {prot: 1}}",
		"services: {a: {name: b}}", "services: {a: {port: x}}", "services: {a: {port: 1.5}}", "services: {a: {base: debian}}",
		"services: {a: {command: python}}", "services: {a: {env: [A=1]}}", "services: {a: {env: {A: true}}}", "services: {a: {env: {A: }}}",
		"services: {a: {health: {interval: 30}}}", "services: {a: {health: {interval: soon}}}", "services: {a: {health: {tcp: x}}}",
		"services: {a: {source: [src]}}", "services: {a: {source: {from: src}}}", "services: {a: {lock: ''}}", "services: {a: {system: libpq5}}", "services: {a: {system: [Lib_pq]}}",
		"services: {a: {}}\ndefaults: {waivers: [{rule: link, file: x}]}", "services: {a: {version: {}}}",
	} {
		require.Error(t, validate(text), "%s", text)
		_, err := load(text)
		require.Error(t, err, "%s", text)
	}
}

// sample is a file with every key.
func sample() string { return "services:\n  all: " + value(reflect.TypeFor[variants.Service]()) + "\n" }

func value(typ reflect.Type) string {
	switch typ {
	case reflect.TypeFor[variants.Base]():
		return "bare"
	case reflect.TypeFor[variants.From]():
		return "src"
	case reflect.TypeFor[lock.Packages]():
		return "own.lock.txt"
	case reflect.TypeFor[lock.System]():
		return "[libpq5]"
	case reflect.TypeFor[time.Duration]():
		return "5s"
	}
	switch typ.Kind() {
	case reflect.Bool:
		return "true"
	case reflect.Int:
		return "7"
	case reflect.Slice:
		return "[" + value(typ.Elem()) + "]"
	case reflect.Map:
		return "{KEY: " + value(typ.Elem()) + "}"
	case reflect.Struct:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(file.Fields(typ))) {
			all = append(all, name+": "+value(typ.Field(file.Fields(typ)[name]).Type))
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return "text"
}

// Each field of a service, and of what is in it, has a key, which sets it.
func TestEveryFieldHasAKey(t *testing.T) {
	services, err := load(sample())
	require.NoError(t, err)
	var set func(at string, v reflect.Value)
	set = func(at string, v reflect.Value) {
		require.False(t, v.IsZero(), "%s has no key", at)
		switch {
		case v.Kind() == reflect.Slice:
			set(at+"[0]", v.Index(0))
		case v.Kind() == reflect.Struct && special[v.Type()] == nil:
			for i := range v.NumField() {
				set(fmt.Sprintf("%s.%s", at, v.Type().Field(i).Name), v.Field(i))
			}
		}
	}
	set("Service", reflect.ValueOf(services["all"]))
}
