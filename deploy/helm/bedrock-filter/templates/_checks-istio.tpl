{{/*
What the export for Istio would refuse, and the Job with it, minutes after the installation.
*/}}
{{- define "bedrock.checkIstioParameters" -}}
{{- $own := .Values.istio.parameters -}}
{{- if not (kindIs "map" $own) -}}
{{- fail "istio.parameters is null; leave it out, or set it to {mode: copy} or whatever else you need" -}}
{{- end -}}
{{- $mode := default "copy" $own.mode -}}
{{- include "bedrock.checkIstioNames" $own -}}
{{- include (printf "bedrock.checkIstio-%s" (default "gateway" $own.context)) $own -}}
{{- include (printf "bedrock.checkIstio-%s" $mode) . -}}
{{- if and $own.gateways (ne $mode "routes") -}}
{{- fail "istio.parameters.gateways is for mode routes; leave it out, and name the workload with istio.parameters.selector or istio.parameters.gateway" -}}
{{- end -}}
{{- if and (eq (default "local" $own.limits) "shared") (ne $mode "live") -}}
{{- fail "istio.parameters.limits=shared is for mode live; leave it out, and set the callers' limit mode to local" -}}
{{- end -}}
{{- end -}}

{{- define "bedrock.checkIstioNames" -}}
{{- range list "name" "namespace" "seal_secret" "gateway" -}}
{{- $value := default "a" (index $ .) -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" $value) -}}
{{- fail (printf "istio.parameters.%s is %q; it must be lower-case letters, digits and hyphens, at most 63" . $value) -}}
{{- end -}}
{{- end -}}
{{- range list "xds_ca" "xds_certificate" "xds_key" -}}
{{- $value := default "/a" (index $ .) -}}
{{- if not (regexMatch "^/.*[^/]$" $value) -}}
{{- fail (printf "istio.parameters.%s is %q; it must be an absolute path in the gateway's file system" . $value) -}}
{{- end -}}
{{- end -}}
{{- if ne (empty .xds_certificate) (empty .xds_key) -}}
{{- fail "istio.parameters.xds_certificate and istio.parameters.xds_key belong together; set both" -}}
{{- end -}}
{{- if and .xds_key (not .xds_ca) -}}
{{- fail "istio.parameters.xds_certificate needs istio.parameters.xds_ca, which turns TLS on; set it to the authorities' file in the gateway" -}}
{{- end -}}
{{- end -}}

{{- define "bedrock.checkIstio-gateway" -}}
{{- if and .gateway .selector -}}
{{- fail "istio.parameters has both gateway and selector, which each name the gateway; leave one of them out" -}}
{{- end -}}
{{- if and (eq (default "copy" .mode) "routes") (not .gateways) (not .gateway) -}}
{{- fail "istio.parameters.mode is routes; set istio.parameters.gateways to the names of Istio's Gateways to bind the routes to, or istio.parameters.gateway to one of the Gateway API" -}}
{{- end -}}
{{- if and .gateways .gateway -}}
{{- fail "istio.parameters has both gateway and gateways, which each say what the routes are bound to; leave one of them out" -}}
{{- end -}}
{{- end -}}

{{- define "bedrock.checkIstio-sidecar" -}}
{{- if or .gateway (not .selector) -}}
{{- fail "istio.parameters.context is sidecar; set istio.parameters.selector to the labels of the applications' pods, and leave istio.parameters.gateway out" -}}
{{- end -}}
{{- if .gateways -}}
{{- fail "the routes of sidecars are bound to the mesh; leave istio.parameters.gateways out" -}}
{{- end -}}
{{- end -}}

{{- define "bedrock.checkIstio-copy" -}}
{{- $own := .Values.istio.parameters -}}
{{- if or (eq (default "google_grpc" $own.xds_client) "envoy_grpc") $own.xds_ca -}}
{{- fail "istio.parameters.xds_client and the files of xds are for live gateways; leave them out, or set istio.parameters.mode=live" -}}
{{- end -}}
{{- if not (regexMatch "^(/.*[^/]|served|(https?|oci)://.+)$" (default "served" $own.module)) -}}
{{- fail (printf "istio.parameters.module is %q; it must be an absolute path, `served`, or a URL that begins with http://, https:// or oci://" $own.module) -}}
{{- end -}}
{{- if and (eq (default "" $own.module) "served") .Values.configService.wasmPathInEnvoy -}}
{{- fail "istio.parameters.module is served, but with configService.wasmPathInEnvoy the config-service serves no module; leave one of them out" -}}
{{- end -}}
{{- end -}}

{{- define "bedrock.checkIstio-live" -}}
{{- $own := .Values.istio.parameters -}}
{{- if $own.module -}}
{{- fail "live gateways get the module that configService.wasmPathInEnvoy names; leave istio.parameters.module out" -}}
{{- end -}}
{{- if not (hasPrefix "/" (default "/" $own.other_module)) -}}
{{- fail (printf "istio.parameters.other_module is %q; it must be an absolute path" $own.other_module) -}}
{{- end -}}
{{- end -}}

{{- define "bedrock.checkIstio-routes" -}}
{{- $own := .Values.istio.parameters -}}
{{- if $own.module -}}
{{- fail "live gateways get the module that configService.wasmPathInEnvoy names; leave istio.parameters.module out" -}}
{{- end -}}
{{- if $own.other_module -}}
{{- fail "istio.parameters.other_module is for the pools of mode copy and mode live; leave it out" -}}
{{- end -}}
{{- end -}}
