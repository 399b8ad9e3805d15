#!/bin/sh
# Makes an authority and the certificates of the nodes and of whoever builds, in the
# directories nodes/ and client/. The authority's key is removed: for other certificates,
# run it again.
set -eu
new="openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch"
mkdir -p nodes client
$new -x509 -days 365 -subj "/CN=buildkit" -keyout authority.key -out nodes/ca.pem
cp nodes/ca.pem client/ca.pem
issue() { # DIRECTORY NAME EXTENSIONS
	$new -subj "/CN=$2" -keyout "$1/key.pem" -out request.pem
	echo "$3" >extensions
	openssl x509 -req -days 365 -in request.pem -CA nodes/ca.pem -CAkey authority.key -CAcreateserial -extfile extensions -out "$1/cert.pem"
}
issue nodes buildkitd "subjectAltName=DNS:*.buildkitd,DNS:buildkitd
extendedKeyUsage=serverAuth"
issue client client "extendedKeyUsage=clientAuth"
rm -f authority.key request.pem extensions nodes/ca.srl
