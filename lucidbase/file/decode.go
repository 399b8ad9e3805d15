package file

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/util/suggest"
	"go.yaml.in/yaml/v4"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// services decodes the file.
func (d *decoder) services() (map[string]variants.Service, error) {
	root, err := d.document()
	if err != nil {
		return nil, err
	}
	d.sections = map[string]*yaml.Node{}
	d.mapping(root, []string{"defaults", "services"}, func(key string, value *yaml.Node) { d.sections[key] = value })
	var defaults variants.Service
	if n := d.sections["defaults"]; n != nil {
		d.of = strings.TrimSuffix(path.Base(d.Name), path.Ext(d.Name))
		d.structure(n, reflect.ValueOf(&defaults).Elem())
	}
	services := map[string]variants.Service{}
	if n := d.sections["services"]; n != nil {
		d.mapping(n, nil, func(name string, value *yaml.Node) {
			s := defaults
			s.Name, d.of = name, name
			before := len(d.errs)
			if d.structure(value, reflect.ValueOf(&s).Elem()); d.Validate && len(d.errs) == before {
				d.validate(value, s)
			}
			services[name] = s
		})
	}
	if len(services) == 0 && len(d.errs) == 0 {
		d.at(root, "no services")
	}
	return services, d.err()
}

// mapping calls do for each key of a mapping; known are its keys, nil for any.
func (d *decoder) mapping(n *yaml.Node, known []string, do func(key string, value *yaml.Node)) {
	if !d.is(n, yaml.MappingNode, "a mapping") {
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch line, twice := seen[key.Value]; {
		case key.Kind == yaml.AliasNode || value.Kind == yaml.AliasNode:
			d.at(value, "%s", noAlias)
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null":
			d.at(key, "a key must be text")
		case twice:
			d.at(key, "%.60q is already on line %d", key.Value, line)
		case known != nil && !slices.Contains(known, key.Value):
			d.at(key, "unknown key %.60q%s", key.Value, nearest(key.Value, known))
		default:
			do(key.Value, value)
		}
		seen[key.Value] = key.Line
	}
}

// nearest names the known word that was meant, or all of them.
func nearest(key string, known []string) string {
	lower := strings.ToLower(key)
	if slices.Contains(known, lower) {
		return "; did you mean " + lower + "?"
	}
	if len(key) < 60 {
		if near, ok := suggest.Search(lower, known, true); ok {
			return "; did you mean " + near + "?"
		}
	}
	return "; known are " + strings.Join(known, ", ")
}

const noAlias = "an alias: what services share belongs into defaults"

// tags are what YAML itself knows of.
var tags = []string{"!!map", "!!seq", "!!str", "!!int", "!!float", "!!bool", "!!timestamp"}

// is reports whether a node is of a kind; what is that kind for people.
func (d *decoder) is(n *yaml.Node, kind yaml.Kind, what string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		d.at(n, "%s", noAlias)
	case n.Kind != kind || n.ShortTag() == "!!null":
		d.at(n, "%s where %s is needed", found(n), what)
	case !slices.Contains(tags, n.ShortTag()):
		d.at(n, "unknown tag %.60q", n.Tag)
	default:
		return true
	}
	return false
}

// found says what a node is.
func found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return strconv.Quote(n.Value[:min(60, len(n.Value))])
}

// text returns a scalar as it is written; a number is text, too.
func (d *decoder) text(n *yaml.Node, what string) (string, bool) {
	if !d.is(n, yaml.ScalarNode, what) {
		return "", false
	}
	if !slices.Contains([]string{"!!str", "!!int", "!!float", "!!timestamp"}, n.ShortTag()) {
		d.at(n, "%s where %s is needed: quote it", n.Value, what)
		return "", false
	}
	return n.Value, true
}

// key is what a field is called in the file: StartPeriod is start_period, TCP is tcp.
func key(field string) string {
	var b strings.Builder
	for i, r := range field {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && field[i-1] >= 'a' && field[i-1] <= 'z' {
			b.WriteByte('_')
		}
		if upper {
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// fields are a struct's fields by their keys. A service's name is the key that it is
// under.
func fields(t reflect.Type) map[string]int {
	all := map[string]int{}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && (t != reflect.TypeFor[variants.Service]() || f.Name != "Name") {
			all[key(f.Name)] = i
		}
	}
	return all
}

// structure decodes a mapping over what the struct has.
func (d *decoder) structure(n *yaml.Node, v reflect.Value) {
	all := fields(v.Type())
	known := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[a] - all[b] })
	d.mapping(n, known, func(key string, value *yaml.Node) { d.value(value, v.Field(all[key])) })
}

// kinds decode what is another thing in the file than in Go.
var kinds = map[reflect.Type]func(*decoder, *yaml.Node) (any, bool){
	reflect.TypeFor[variants.Base](): (*decoder).base,
	reflect.TypeFor[variants.From](): (*decoder).directory,
	reflect.TypeFor[lock.Packages](): (*decoder).packages,
	reflect.TypeFor[lock.System]():   (*decoder).system,
	reflect.TypeFor[time.Duration](): (*decoder).duration,
}

// value decodes a node into a field, which has the value of defaults.
func (d *decoder) value(n *yaml.Node, v reflect.Value) {
	if decode, ok := kinds[v.Type()]; ok {
		if x, ok := decode(d, n); ok {
			v.Set(reflect.ValueOf(x))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Slice:
		d.list(n, v)
	case reflect.Map:
		d.texts(n, v)
	case reflect.Bool:
		if b, err := strconv.ParseBool(n.Value); d.is(n, yaml.ScalarNode, "true or false") && n.ShortTag() == "!!bool" && err == nil {
			v.SetBool(b)
		} else if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
			d.at(n, "%s where true or false is needed", found(n))
		}
	case reflect.Int:
		if i, err := strconv.Atoi(n.Value); d.is(n, yaml.ScalarNode, "a whole number") {
			if err != nil || n.ShortTag() != "!!int" {
				d.at(n, "%s where a whole number is needed", found(n))
			}
			v.SetInt(int64(i))
		}
	default: // reflect.String: a test looks at every field
		text, _ := d.text(n, "text")
		v.SetString(text)
	}
}

// list decodes a list: mappings come after those of defaults, and the rest takes
// the place of what is there.
func (d *decoder) list(n *yaml.Node, v reflect.Value) {
	if !d.is(n, yaml.SequenceNode, "a list") {
		return
	}
	all := reflect.MakeSlice(v.Type(), 0, len(n.Content))
	if v.Type().Elem().Kind() == reflect.Struct {
		all = reflect.AppendSlice(all, v)
	}
	for _, item := range n.Content {
		x := reflect.New(v.Type().Elem()).Elem()
		d.value(item, x)
		all = reflect.Append(all, x)
	}
	v.Set(all)
}

// texts decodes a mapping of texts over what is there.
func (d *decoder) texts(n *yaml.Node, v reflect.Value) {
	all := map[string]string{}
	maps.Copy(all, v.Interface().(map[string]string))
	d.mapping(n, nil, func(key string, value *yaml.Node) { all[key], _ = d.text(value, "text") })
	v.Set(reflect.ValueOf(all))
}

func (d *decoder) base(n *yaml.Node) (any, bool) {
	name, ok := d.text(n, "the name of a base image")
	base := variants.Named(name, variants.Options{})
	if ok && base == nil {
		d.at(n, "no base image %.60q%s", name, nearest(name, variants.Names()))
	}
	return base, base != nil
}

func (d *decoder) duration(n *yaml.Node) (any, bool) {
	text, ok := d.text(n, "a time such as 30s")
	if !ok {
		return nil, false
	}
	t, err := time.ParseDuration(text)
	if err != nil {
		d.at(n, "%s where a time such as 30s or 1m30s is needed", found(n))
	}
	return t, err == nil
}

// path returns a path in the file system.
func (d *decoder) path(n *yaml.Node, what string) (string, bool) {
	text, ok := d.text(n, what)
	if !ok {
		return "", false
	}
	name := path.Join(path.Dir(d.Name), text)
	switch {
	case text == "":
		d.at(n, "\"\" where %s is needed", what)
	case path.IsAbs(text) || strings.Contains(text, `\`):
		d.at(n, "%.60q is not a path relative to the file, with slashes", text)
	case !fs.ValidPath(name):
		d.at(n, "%.60q leads out", text)
	default:
		return name, true
	}
	return "", false
}

func (d *decoder) directory(n *yaml.Node) (any, bool) {
	name, ok := d.path(n, "the path of a directory")
	if !ok {
		return nil, false
	}
	info, err := fs.Stat(d.FS, name)
	switch {
	case err != nil:
		d.at(n, "%.60q: no such directory", n.Value)
		return nil, false
	case !info.IsDir():
		d.at(n, "%.60q is not a directory", n.Value)
		return nil, false
	}
	if d.From != nil {
		return d.From(name), true
	}
	sub, err := fs.Sub(d.FS, name)
	if err != nil {
		d.at(n, "%w", err)
	}
	return variants.FS(sub), err == nil
}

func (d *decoder) packages(n *yaml.Node) (any, bool) {
	name, ok := d.path(n, "the path of a lock")
	if !ok {
		return nil, false
	}
	p, err := d.lock(name)
	if err != nil {
		d.at(n, "%w", err)
	}
	return p, err == nil
}

// system reads the lock of a list of Debian packages.
func (d *decoder) system(n *yaml.Node) (any, bool) {
	wanted, ok := d.names(n)
	if !ok || len(wanted) == 0 {
		return lock.System{}, ok
	}
	file, ok := d.systemLock(n)
	if !ok {
		return nil, false
	}
	locked, err := d.lockSystem(file)
	if err == nil && !locked.IsZero() && !slices.Equal(locked.Packages, wanted) {
		err = fmt.Errorf("%s is the lock of %s: \"lucidbase lock -f %s\" writes it again", path.Base(file), strings.Join(locked.Packages, ", "), d.shown())
	}
	if err != nil {
		d.at(n, "%w", err)
	}
	return locked, err == nil
}

// names returns a list of Debian packages, sorted.
func (d *decoder) names(n *yaml.Node) ([]string, bool) {
	if !d.is(n, yaml.SequenceNode, "a list of Debian packages") {
		return nil, false
	}
	var all []string
	whole := true
	for _, item := range n.Content {
		name, ok := d.text(item, "the name of a Debian package")
		switch {
		case !ok:
		case !names.Debian.MatchString(name):
			d.at(item, "%.60q is not the name of a Debian package", name)
			ok = false
		case slices.Contains(all, name):
			d.at(item, "%s is listed twice", name)
			ok = false
		}
		whole = whole && ok
		all = append(all, name)
	}
	slices.Sort(all)
	return all, whole
}

// systemLock is the path of a list's lock, beside the file: it is named for the service
// or, of defaults, for the file.
func (d *decoder) systemLock(n *yaml.Node) (string, bool) {
	if !fs.ValidPath(d.of) || strings.ContainsAny(d.of, `/\`) || d.of == "." {
		d.at(n, "%.60q, the service's name, is not the name of a file", d.of)
		return "", false
	}
	return path.Join(path.Dir(d.Name), d.of+lock.SystemSuffix), true
}
