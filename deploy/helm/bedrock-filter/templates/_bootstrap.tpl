{{/*
`envoy/envoy.yaml` with what this release has in its place. Lines that end in "# config-service" have the address of the
config-service; each replacement must find something.
*/}}
{{- define "bedrock.bootstrap" -}}
{{- $text := .Files.Get "files/envoy.yaml" -}}
{{- $address := include "bedrock.address" . -}}
{{- $text = regexReplaceAll "address: 127\\.0\\.0\\.1(, port_value: [0-9]+ \\} # config-service)" $text (printf "address: %s${1}" $address) -}}
{{- $text = replace "max_heap_size_bytes: 1073741824" (printf "max_heap_size_bytes: %d" (int64 .Values.envoy.maxHeapBytes)) $text -}}
{{- /* Twice the longest request, because translation can make it longer; the third number is that of a connection. */}}
{{- $buffer := max 67108864 (mul 2 (int64 .Values.configService.maxRequestBytes)) -}}
{{- range list "per_connection_buffer_limit_bytes" "request_body_buffer_limit" "initial_stream_window_size" -}}
{{- $text = replace (printf "%s: 67108864" .) (printf "%s: %d" . $buffer) $text -}}
{{- end -}}
{{- $text = replace "initial_connection_window_size: 134217728" (printf "initial_connection_window_size: %d" (min 2147483647 (mul 2 $buffer))) $text -}}
{{- if .Values.envoy.xdsTls.secret -}}
{{- $tls := include "bedrock.xdsTls" . | indent 6 -}}
{{- $text = replace "    - name: config-service-xds\n" (printf "    - name: config-service-xds\n%s\n" $tls) $text -}}
{{- $text = replace "    - name: rate-limit\n" (printf "    - name: rate-limit\n%s\n" $tls) $text -}}
{{- end -}}
{{- if .Values.configService.adminTls.secret -}}
{{- $tls := include "bedrock.adminTls" . | indent 6 -}}
{{- $text = replace "    - name: config-service\n" (printf "    - name: config-service\n%s\n" $tls) $text -}}
{{- end -}}
{{- if not .Values.monitoring.podMonitor -}}
{{- $text = replace "address: 0.0.0.0, port_value: 9902" "address: 127.0.0.1, port_value: 9902" $text -}}
{{- end -}}
{{- if eq .Values.ipFamily "IPv6" -}}
{{- $text = replace "address: 0.0.0.0," "address: \"::\", ipv4_compat: true," $text -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{- define "bedrock.xdsTls" -}}
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: {{ include "bedrock.address" . }}
    common_tls_context:
      {{- if .Values.configService.xdsTls.clientCa }}
      tls_certificates:
        - certificate_chain: { filename: /etc/bedrock/xds/tls.crt }
          private_key: { filename: /etc/bedrock/xds/tls.key }
          # Kubernetes exchanges renewed files by a link.
          watched_directory: { path: /etc/bedrock/xds }
      {{- end }}
      alpn_protocols: [h2]
      validation_context:
        trusted_ca: { filename: /etc/bedrock/xds/ca.crt }
        watched_directory: { path: /etc/bedrock/xds }
        match_typed_subject_alt_names:
          - { san_type: DNS, matcher: { exact: {{ include "bedrock.address" . }} } }
{{- end -}}

{{- define "bedrock.adminTls" -}}
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: {{ include "bedrock.address" . }}
    # The module's SHA-256 travels over xDS, so nobody can put another one in its place.
    common_tls_context: {}
{{- end -}}
