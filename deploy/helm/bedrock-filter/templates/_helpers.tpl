{{/* A Service's name has no dot and begins with a letter; a release's may. */}}
{{- define "bedrock.name" -}}
{{- $name := default .Release.Name .Values.fullnameOverride | replace "." "-" -}}
{{- if regexMatch "^[0-9]" $name -}}
{{- $name = printf "bedrock-%s" $name -}}
{{- end -}}
{{- $name | trunc 48 | trimSuffix "-" -}}
{{- end -}}

{{- define "bedrock.configService" -}}
{{ include "bedrock.name" . }}-config-service
{{- end -}}

{{- define "bedrock.envoy" -}}
{{ include "bedrock.name" . }}-envoy
{{- end -}}

{{- define "bedrock.secret" -}}
{{- default (printf "%s-secrets" (include "bedrock.name" .)) .Values.secrets.existing -}}
{{- end -}}

{{- define "bedrock.serviceAccount" -}}
{{- default (include "bedrock.configService" .) .Values.configService.serviceAccount.name -}}
{{- end -}}

{{/* The labels of one component: (list context "component") */}}
{{- define "bedrock.selector" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: bedrock-filter
app.kubernetes.io/instance: {{ $context.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "bedrock.labels" -}}
{{- $context := index . 0 -}}
{{ include "bedrock.selector" . }}
app.kubernetes.io/version: {{ $context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $context.Chart.Name $context.Chart.Version }}
{{- end -}}

{{- define "bedrock.container" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* The address of the config-service, without a port. */}}
{{- define "bedrock.address" -}}
{{ include "bedrock.configService" . }}.{{ .Release.Namespace }}
{{- end -}}

{{- define "bedrock.adminScheme" -}}
{{ if .Values.configService.adminTls.secret }}https{{ else }}http{{ end }}
{{- end -}}

{{/* Where a component may go, from its values. */}}
{{- define "bedrock.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Not empty if gateways of Istio get their channels from the config-service. */}}
{{- define "bedrock.isLiveIstio" -}}
{{- if and .Values.istio.enabled (ne (default "copy" .Values.istio.parameters.mode) "copy") }}true{{ end -}}
{{- end -}}

{{/*
How many Envoys there are. With autoscaling as many as run now: without the number Kubernetes would stop all but one
until the autoscaler acts. What is rendered without a cluster has none then, because it would undo the autoscaler's.
*/}}
{{- define "bedrock.replicas" -}}
{{- if .Values.envoy.autoscaling.enabled -}}
{{- $running := lookup "apps/v1" "Deployment" .Release.Namespace (include "bedrock.envoy" .) -}}
{{- dig "spec" "replicas" "" (default dict $running) -}}
{{- else -}}
{{- .Values.envoy.replicas -}}
{{- end -}}
{{- end -}}
