# Ends an Envoy without cutting a stream: clients are told to open no further requests on their connections, and this
# waits until the open ones are done, but no longer than so many seconds. Kubernetes takes the pod out of its Services at
# the same time, and stops Envoy when this has ended. The image has no curl.
set -u

patience=${1:?seconds}
admin=${ENVOY_ADMIN:-127.0.0.1/9901}

ask() {
  exec 3<>"/dev/tcp/$admin" || return 1
  printf '%s %s HTTP/1.1\r\nhost: envoy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n' "$1" "$2" >&3
  cat <&3
  exec 3>&-
}

# Until no Service sends anything here any more.
sleep "${DRAIN_PAUSE:-5}"
ask POST /healthcheck/fail >/dev/null

while [ "$SECONDS" -lt "$patience" ]; do
  # Nobody answers when Envoy is gone; half an answer does not say that it is idle.
  answer=$(ask GET '/stats?filter=^http.openai.downstream_rq_active$') || exit 0
  case $answer in
  *'downstream_rq_active: 0'*) exit 0 ;;
  *'downstream_rq_active: '*) ;;
  *'200 OK'*) exit 0 ;;
  esac
  sleep 1
done
