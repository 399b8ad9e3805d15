// Package kubetest checks Kubernetes' objects in tests.
package kubetest

import (
	"bytes"
	_ "embed"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// openAPI is Kubernetes' own schema of v1.37.2 (api/openapi-spec/v3), less descriptions
// and what the kinds of the tests do not need.
//
//go:embed testdata/kubernetes.json
var openAPI []byte

// Validate checks an object, in YAML, against Kubernetes' own schema. Of an object with
// a required selector it checks that the schema misses that.
func Validate(t testing.TB, text []byte) {
	t.Helper()
	var meta metav1.PartialObjectMetadata
	require.NoError(t, yaml.Unmarshal(text, &meta))
	schemas := jsonschema.NewCompiler()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	require.NoError(t, err)
	schemas.DefaultDraft(jsonschema.Draft4) // OpenAPI 3.0's
	require.NoError(t, schemas.AddResource("kubernetes.json", document))
	group, _, found := strings.Cut(meta.APIVersion, "/")
	if !found {
		group = "core"
	}
	schema, err := schemas.Compile("kubernetes.json#/components/schemas/io.k8s.api." + group + ".v1." + meta.Kind)
	require.NoError(t, err)
	asJSON, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	object, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(object), string(text))
	delete(object.(map[string]any)["spec"].(map[string]any), "selector")
	if group == "apps" {
		require.Error(t, schema.Validate(object), "the schema checks nothing")
	}
}
