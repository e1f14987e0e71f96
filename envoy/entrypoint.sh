#!/bin/sh
# Starts Envoy with envoy.yaml and the config-service at CONFIG_SERVICE_HOST (a name or an address,
# 127.0.0.1 by default). BEDROCK_SEAL_KEY_FILE may name a file that contains the value for
# BEDROCK_SEAL_KEY. Arguments are passed on to Envoy.
#
# At SIGTERM or SIGINT, requests in progress have BEDROCK_ENVOY_STOP_SECONDS (8 by default, less than the 10 s that Docker
# waits) to finish; a second signal cuts them. Envoy's own answer to these signals is to cut them at once, so it must not
# get them itself: Ctrl-C in a terminal reaches both.
set -eu

if [ -n "${BEDROCK_SEAL_KEY_FILE:-}" ]; then
  if [ -n "${BEDROCK_SEAL_KEY:-}" ]; then
    echo "BEDROCK_SEAL_KEY and BEDROCK_SEAL_KEY_FILE are both set; remove one of them" >&2
    exit 1
  fi
  # The filter reads the variable.
  BEDROCK_SEAL_KEY=$(cat "$BEDROCK_SEAL_KEY_FILE")
  case $BEDROCK_SEAL_KEY in
  "$(printf '\357\273\277')"*)
    echo "$BEDROCK_SEAL_KEY_FILE begins with a byte order mark; save it as UTF-8 without one" >&2
    exit 1
    ;;
  esac
  export BEDROCK_SEAL_KEY
fi

host=${CONFIG_SERVICE_HOST:-127.0.0.1}
template=${ENVOY_TEMPLATE:-/etc/envoy/bedrock.yaml}
drain=${ENVOY_DRAIN:-/usr/local/share/bedrock/drain.sh}
patience=${BEDROCK_ENVOY_STOP_SECONDS:-8}

case $host in
*[!A-Za-z0-9.-]*)
  echo "CONFIG_SERVICE_HOST is not a host name: $host" >&2
  exit 1
  ;;
esac

case $patience in
'' | *[!0-9]*)
  echo "BEDROCK_ENVOY_STOP_SECONDS is not a whole number of seconds: $patience" >&2
  exit 1
  ;;
esac

# The lines to change are those that end in "# config-service".
folder=$(mktemp -d)
sed "s/{ address: [^,]*\(, port_value: [0-9]* } # config-service\)\$/{ address: $host\1/" \
  "$template" >"$folder/envoy.yaml"

# The config-service tells Envoys apart by this name.
envoy --config-path "$folder/envoy.yaml" --service-node "$(uname -n)" "$@" &
envoy=$!

stop() {
  trap 'kill -s TERM "$envoy"' TERM INT
  DRAIN_PAUSE=0 bash "$drain" "$patience" &
  wait $! || true
  kill -s TERM "$envoy" || true
}
trap stop TERM INT

status=0
wait "$envoy" || status=$?
# A signal ends the first `wait`.
if [ "$status" -gt 128 ] && kill -0 "$envoy" 2>/dev/null; then
  status=0
  wait "$envoy" || status=$?
fi
exit "$status"
