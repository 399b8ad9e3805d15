package deploy

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/lucid-project/base-images/internal/kubetest"
	"github.com/lucid-project/base-images/variants"
)

type cluster struct {
	deployments map[string]appsv1.Deployment
	services    map[string]corev1.Service
	claims      map[string]corev1.PersistentVolumeClaim
}

// apply decodes objects as strictly as an API server does, and checks each against
// Kubernetes' own schema.
func apply(t *testing.T, data []byte) cluster {
	t.Helper()
	c := cluster{map[string]appsv1.Deployment{}, map[string]corev1.Service{}, map[string]corev1.PersistentVolumeClaim{}}
	for _, text := range bytes.Split(data, []byte("\n---\n"))[1:] {
		var meta metav1.PartialObjectMetadata
		require.NoError(t, sigsyaml.Unmarshal(text, &meta))
		switch meta.Kind {
		case "Deployment":
			c.deployments[meta.Name] = decode[appsv1.Deployment](t, text)
		case "Service":
			c.services[meta.Name] = decode[corev1.Service](t, text)
		case "PersistentVolumeClaim":
			c.claims[meta.Name] = decode[corev1.PersistentVolumeClaim](t, text)
		default:
			require.Fail(t, meta.Kind)
		}
		kubetest.Validate(t, text)
	}
	return c
}

// decode checks also that nothing was lost with what tidy left out.
func decode[T any](t *testing.T, text []byte) T {
	t.Helper()
	var object T
	require.NoError(t, sigsyaml.UnmarshalStrict(text, &object))
	again, err := json.Marshal(object)
	require.NoError(t, err)
	var other T
	require.NoError(t, json.Unmarshal(again, &other))
	require.Equal(t, object, other)
	return object
}

func TestKubernetesObjects(t *testing.T) {
	data, err := Kubernetes(family(), images(family()))
	require.NoError(t, err)
	c := apply(t, data)
	require.Len(t, c.deployments, 4)
	require.Len(t, c.services, 3, "worker has no port")
	require.Len(t, c.claims, 2)

	for name, d := range c.deployments {
		pod := d.Spec.Template.Spec
		require.True(t, *pod.SecurityContext.RunAsNonRoot, name)
		require.EqualValues(t, 65532, *pod.SecurityContext.RunAsUser)
		require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
		container := pod.Containers[0]
		require.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
		require.False(t, *container.SecurityContext.AllowPrivilegeEscalation)
		require.Equal(t, []corev1.Capability{"ALL"}, container.SecurityContext.Capabilities.Drop)
		require.Contains(t, container.Image, "@"+digest)
		require.Equal(t, d.Spec.Selector.MatchLabels, d.Spec.Template.Labels)
		require.NotNil(t, pod.Volumes[0].EmptyDir)
		require.Equal(t, "/tmp", container.VolumeMounts[0].MountPath)
	}
}

func TestKubernetesVolumes(t *testing.T) {
	data, err := Kubernetes(family(), images(family()))
	require.NoError(t, err)
	c := apply(t, data)

	pod := c.deployments["gateway"].Spec.Template.Spec
	require.EqualValues(t, 65532, *pod.SecurityContext.FSGroup)
	mounts := map[string]string{}
	for _, m := range pod.Containers[0].VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	require.Equal(t, map[string]string{"tmp": "/tmp", "app-data": "/app/data", "var-lib-gateway": "/var/lib/gateway"}, mounts)
	for _, v := range pod.Volumes[1:] {
		require.Contains(t, c.claims, v.PersistentVolumeClaim.ClaimName)
	}
	require.Equal(t, appsv1.RecreateDeploymentStrategyType, c.deployments["gateway"].Spec.Strategy.Type)
	require.Empty(t, c.deployments["plain"].Spec.Strategy.Type)
	require.Nil(t, c.deployments["plain"].Spec.Template.Spec.SecurityContext.FSGroup)
}

func TestKubernetesProbes(t *testing.T) {
	data, err := Kubernetes(family(), images(family()))
	require.NoError(t, err)
	c := apply(t, data)
	container := func(name string) corev1.Container { return c.deployments[name].Spec.Template.Spec.Containers[0] }

	gateway := container("gateway")
	require.Equal(t, "/health", gateway.ReadinessProbe.HTTPGet.Path)
	require.Equal(t, 8000, gateway.LivenessProbe.HTTPGet.Port.IntValue())
	require.EqualValues(t, 10, gateway.LivenessProbe.TimeoutSeconds)
	require.EqualValues(t, 23, gateway.StartupProbe.FailureThreshold)

	auth := container("user-auth")
	require.Equal(t, 8000, auth.ReadinessProbe.TCPSocket.Port.IntValue())
	require.EqualValues(t, 2, auth.ReadinessProbe.PeriodSeconds, "whole seconds")
	require.EqualValues(t, 5, auth.LivenessProbe.FailureThreshold)
	require.Nil(t, auth.StartupProbe)

	require.Equal(t, []string{"python", "-c", "print('$HOME')"}, container("worker").LivenessProbe.Exec.Command)
	require.Nil(t, container("plain").LivenessProbe)
	require.EqualValues(t, 8000, c.services["gateway"].Spec.Ports[0].Port)
	require.Len(t, c.services["gateway"].Spec.Ports, 2)
}

// Volumes of two services never share a claim, however they are named.
func TestClaimsApart(t *testing.T) {
	one := variants.Service{Name: "a", Base: variants.Python{}, Command: []string{"python"}, Writable: []string{"/b/c"}}
	two := one
	two.Name, two.Writable = "a-b", []string{"/c"}
	services := []variants.Service{one, two}
	data, err := Kubernetes(services, images(services))
	require.NoError(t, err)
	require.Len(t, apply(t, data).claims, 2)
	data, err = Compose(services, images(services))
	require.NoError(t, err)
	require.Len(t, load(t, string(data)).Volumes, 2)
}
