{{/* The config-service's command line, as a list in JSON. */}}
{{- define "bedrock.configServiceArguments" -}}
{{- $own := .Values.configService -}}
{{- $any := ternary "[::]" "0.0.0.0" (eq .Values.ipFamily "IPv6") -}}
{{- $arguments := list (printf "--listen=%s:8080" $any) (printf "--xds-listen=%s:18000" $any) (printf "--metrics-listen=%s:9090" $any) "--init" -}}
{{- if $own.wasmPathInEnvoy -}}
{{- $arguments = append $arguments (printf "--wasm-path-in-envoy=%s" $own.wasmPathInEnvoy) -}}
{{- else -}}
{{- $origin := printf "%s://%s:8080" (include "bedrock.adminScheme" .) (include "bedrock.address" .) -}}
{{- $arguments = concat $arguments (list "--wasm=/usr/share/bedrock/bedrock_filter.wasm" (printf "--wasm-url-base=%s" $origin)) -}}
{{- end -}}
{{- $arguments = append $arguments (printf "--max-request-bytes=%d" (int64 $own.maxRequestBytes)) -}}
{{- if $own.failover -}}
{{- $arguments = append $arguments "--failover" -}}
{{- end -}}
{{- $arguments = concat $arguments (include "bedrock.tlsArguments" $own | fromJsonArray) -}}
{{- toJson (append $arguments (printf "--log-format=%s" $own.logFormat)) -}}
{{- end -}}

{{- define "bedrock.tlsArguments" -}}
{{- $arguments := list "--xds-allow-plaintext" -}}
{{- if .xdsTls.secret -}}
{{- $arguments = list "--xds-tls-certificate=/etc/bedrock/xds/tls.crt" "--xds-tls-key=/etc/bedrock/xds/tls.key" -}}
{{- with .xdsTls.clientCa -}}
{{- $arguments = append $arguments (printf "--xds-tls-client-ca=/etc/bedrock/xds/%s" .) -}}
{{- end -}}
{{- with .xdsTls.clientNames -}}
{{- $arguments = append $arguments (printf "--xds-tls-client-names=%s" (join "," .)) -}}
{{- end -}}
{{- end -}}
{{- if .adminTls.secret -}}
{{- $arguments = concat $arguments (list "--tls-certificate=/etc/bedrock/admin/tls.crt" "--tls-key=/etc/bedrock/admin/tls.key") -}}
{{- end -}}
{{- toJson $arguments -}}
{{- end -}}

{{/* The command that exports the manifest for Istio, as a list in JSON. */}}
{{- define "bedrock.exportIstio" -}}
{{- $arguments := list "export-istio" -}}
{{- if include "bedrock.isLiveIstio" . -}}
{{- $arguments = append $arguments (printf "--xds=%s:18000" (include "bedrock.address" .)) -}}
{{- end -}}
{{- range $name, $value := .Values.istio.parameters -}}
{{- if $value -}}
{{- $arguments = append $arguments (printf "--%s=%s" (replace "_" "-" $name) $value) -}}
{{- end -}}
{{- end -}}
{{- toJson $arguments -}}
{{- end -}}

{{/* Words of a command, from a list in JSON, as a shell reads them. */}}
{{- define "bedrock.words" -}}
{{- $words := list -}}
{{- range fromJsonArray . -}}
{{- $isPlain := regexMatch "^[A-Za-z0-9_./:=,@+-]+$" . -}}
{{- $words = append $words (ternary . (printf "'%s'" (replace "'" "'\\''" .)) $isPlain) -}}
{{- end -}}
{{- join " " $words -}}
{{- end -}}

{{/* Where the subcommands that call the API find it. */}}
{{- define "bedrock.server" -}}
- { name: BEDROCK_SERVER, value: "{{ include "bedrock.adminScheme" . }}://{{ include "bedrock.address" . }}:8080" }
{{- if .Values.configService.adminTls.secret }}
- { name: BEDROCK_SERVER_CA_FILE, value: /etc/bedrock/admin/ca.crt }
{{- end }}
{{- end -}}
