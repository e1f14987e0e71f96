{{/*
What values.schema.json cannot say: values that do not go together. Each would render, and then not work.
*/}}
{{- define "bedrock.checks" -}}
{{- include "bedrock.checkIstio" . -}}
{{- include "bedrock.checkXdsTls" . -}}
{{- include "bedrock.checkServiceAccount" . -}}
{{- include "bedrock.checkUnused" . -}}
{{- include "bedrock.checkScaling" . -}}
{{- include "bedrock.checkHeld" . -}}
{{- include "bedrock.checkFlags" . -}}
{{- end -}}

{{- define "bedrock.checkIstio" -}}
{{- $istio := .Values.istio -}}
{{- if and $istio.apply (not $istio.enabled) -}}
{{- fail "istio.apply is set, but istio.enabled is not, so nothing would be applied; set istio.enabled=true as well" -}}
{{- end -}}
{{- if $istio.enabled -}}
{{- include "bedrock.checkIstioParameters" . -}}
{{- end -}}
{{- if include "bedrock.isLiveIstio" . -}}
{{- if not .Values.configService.wasmPathInEnvoy -}}
{{- fail (printf "istio.parameters.mode is %s, and configService.wasmPathInEnvoy is empty, but such gateways cannot fetch the module from the config-service: put it into their image, and set configService.wasmPathInEnvoy to where it is, such as /etc/bedrock/bedrock_filter-%s.wasm" $istio.parameters.mode .Chart.AppVersion) -}}
{{- end -}}
{{- if and (eq $istio.parameters.mode "routes") .Values.configService.failover -}}
{{- fail "istio.parameters.mode is routes, which has no failover; set configService.failover=false, or istio.parameters.mode=live" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.envoysFrom) -}}
{{- fail "networkPolicy.enabled keeps the gateways of Istio from the xDS port; set networkPolicy.envoysFrom to where they run" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.configService.wasmPathInEnvoy .Values.envoy.enabled (eq .Values.envoy.image.repository "envoyproxy/envoy") (not .Values.envoy.extraVolumeMounts) -}}
{{- fail (printf "the chart's Envoys are told to find the module at %s, where the image envoyproxy/envoy has none; set envoy.image to one that has it, mount it with envoy.extraVolumeMounts, or set envoy.enabled=false" .Values.configService.wasmPathInEnvoy) -}}
{{- end -}}
{{- end -}}

{{/* Both ends of a way to the xDS port must agree. */}}
{{- define "bedrock.checkXdsTls" -}}
{{- $server := .Values.configService.xdsTls -}}
{{- if and $server.clientCa (not $server.secret) -}}
{{- fail "configService.xdsTls.clientCa is set, but configService.xdsTls.secret is not, so the xDS port would be in plain text; set configService.xdsTls.secret to the Secret with its certificate" -}}
{{- end -}}
{{- if and $server.clientNames (not $server.clientCa) -}}
{{- fail "configService.xdsTls.clientNames is set, but nobody would check the certificates that have the names; set configService.xdsTls.clientCa to the key of the Secret that has their authorities, such as ca.crt" -}}
{{- end -}}
{{- if .Values.envoy.enabled -}}
{{- if and $server.secret (not .Values.envoy.xdsTls.secret) -}}
{{- fail "configService.xdsTls.secret is set, but envoy.xdsTls.secret is not, so the chart's Envoys would not trust the xDS port; set envoy.xdsTls.secret to a Secret with ca.crt, or envoy.enabled=false" -}}
{{- end -}}
{{- if and .Values.envoy.xdsTls.secret (not $server.secret) -}}
{{- fail "envoy.xdsTls.secret is set, but configService.xdsTls.secret is not, so Envoys would speak TLS to a port in plain text; set configService.xdsTls.secret to the Secret with the port's certificate" -}}
{{- end -}}
{{- end -}}
{{- if include "bedrock.isLiveIstio" . -}}
{{- $gateway := .Values.istio.parameters -}}
{{- if and $server.secret (not $gateway.xds_ca) -}}
{{- fail "configService.xdsTls.secret is set, but istio.parameters.xds_ca is not, so gateways would speak plain text to a port with TLS; set it to the authorities' file in the gateway" -}}
{{- end -}}
{{- if and $gateway.xds_ca (not $server.secret) -}}
{{- fail "istio.parameters.xds_ca is set, but configService.xdsTls.secret is not, so gateways would speak TLS to a port in plain text; set configService.xdsTls.secret to the Secret with the port's certificate" -}}
{{- end -}}
{{- if and $server.clientCa (not (and $gateway.xds_certificate $gateway.xds_key)) -}}
{{- fail "configService.xdsTls.clientCa asks for certificates that gateways would not have; set istio.parameters.xds_certificate and istio.parameters.xds_key to their files in the gateway" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "bedrock.checkServiceAccount" -}}
{{- $account := .Values.configService.serviceAccount -}}
{{- if and $account.name $account.annotations -}}
{{- fail "configService.serviceAccount.annotations would have no effect, because configService.serviceAccount.name is a ServiceAccount of your own; annotate that one, or leave the name empty" -}}
{{- end -}}
{{- end -}}

{{/* Values that would be left out in silence, although somebody relies on them. */}}
{{- define "bedrock.checkUnused" -}}
{{- $persistence := .Values.configService.persistence -}}
{{- if and $persistence.existingClaim (not $persistence.enabled) -}}
{{- fail "configService.persistence.existingClaim is set, but configService.persistence.enabled is not, so channels would be lost with the pod; set configService.persistence.enabled=true, or leave the claim out" -}}
{{- end -}}
{{- $policy := .Values.networkPolicy -}}
{{- if and (or $policy.adminFrom $policy.clientsFrom $policy.envoysFrom) (not $policy.enabled) -}}
{{- fail "networkPolicy has peers, but networkPolicy.enabled is not set, so everybody would reach everything; set networkPolicy.enabled=true" -}}
{{- end -}}
{{- end -}}

{{- define "bedrock.checkScaling" -}}
{{- $scaling := .Values.envoy.autoscaling -}}
{{- $resources := default dict .Values.envoy.resources -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail (printf "envoy.autoscaling.minReplicas is %d, more than envoy.autoscaling.maxReplicas (%d); raise the second or lower the first" (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- if and $scaling.enabled (not (dig "requests" "cpu" (dig "limits" "cpu" "" $resources) $resources)) -}}
{{- fail "envoy.autoscaling counts in per cent of a CPU request that is not there; set envoy.resources.requests.cpu" -}}
{{- end -}}
{{- end -}}

{{/* The config-service does not start if it may hold less than two requests. */}}
{{- define "bedrock.checkHeld" -}}
{{- $own := .Values.configService -}}
{{- if and $own.failover (gt (int64 $own.maxRequestBytes) 134217728) (not (regexMatch "--max-held-bytes=" (join " " $own.flags))) -}}
{{- fail (printf "configService.maxRequestBytes is %d, and with configService.failover a worker must be able to hold twice that; add --max-held-bytes=%d to configService.flags, or lower it" (int64 $own.maxRequestBytes) (mul 2 (int64 $own.maxRequestBytes))) -}}
{{- end -}}
{{- end -}}

{{/* The config-service refuses a flag that is there twice, and some that go against each other. */}}
{{- define "bedrock.checkFlags" -}}
{{- $own := list "--database" "--failover" "--wasm" "--wasm-path-in-envoy" "--wasm-url-base" "--tls-certificate" "--tls-key" -}}
{{- $own = concat $own (list "--xds-allow-plaintext" "--xds-tls-certificate" "--xds-tls-key" "--xds-tls-client-ca" "--xds-tls-client-names") -}}
{{- range include "bedrock.configServiceArguments" . | fromJsonArray -}}
{{- $own = append $own (regexFind "^[^=]+" .) -}}
{{- end -}}
{{- range .Values.configService.flags -}}
{{- if has (regexFind "^[^=]+" .) $own -}}
{{- fail (printf "configService.flags has %s, which the chart sets itself; leave it out, and use the value that stands for it" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
