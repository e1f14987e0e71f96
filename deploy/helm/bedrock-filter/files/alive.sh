# Whether Envoy's main thread answers. The image has no curl.
set -u

exec 3<>"/dev/tcp/${ENVOY_ADMIN:-127.0.0.1/9901}" || exit 1
printf 'GET /server_info HTTP/1.1\r\nhost: envoy\r\nconnection: close\r\n\r\n' >&3
read -r -t 8 -u 3 status && [[ $status == 'HTTP/1.1 200 '* ]]
