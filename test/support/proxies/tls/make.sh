#!/bin/sh
# Makes the certificates beside this script, for a hundred years. They guard nothing: run again only to change them.
set -eu
cd "$(dirname "$0")"
DAYS=36500

key() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1-key.pem"
}

# What a relay is told to trust.
key authority
openssl req -x509 -new -key authority-key.pem -days $DAYS -subj '/CN=Tests of Evolution Relay' -out authority.pem

# Two that it signed: of this host, and of another.
for host in localhost elsewhere; do
  key $host
  openssl req -new -key $host-key.pem -subj /CN=$host -out request.pem
  echo "subjectAltName=DNS:$host" >extensions
  openssl x509 -req -in request.pem -CA authority.pem -CAkey authority-key.pem -days $DAYS -extfile extensions \
    -out $host.pem
done

# One that nobody signed.
key stranger
openssl req -x509 -new -key stranger-key.pem -days $DAYS -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -out stranger.pem

rm -f request.pem extensions authority-key.pem authority.srl
