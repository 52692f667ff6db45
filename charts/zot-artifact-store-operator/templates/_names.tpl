{{- define "operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for the endings that some objects add. */}}
{{- define "operator.fullname" -}}
{{- $name := include "operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selectorLabels" . }}
app.kubernetes.io/part-of: zot-artifact-store
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "operator.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "operator.fullname" .) "default") }}
{{- end }}

{{- define "operator.image" -}}
{{- $name := .Values.image.repository | default (include "generated.image" .) }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $name .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $name (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "operator.serverVersion" -}}
{{- .Values.server.version | default .Chart.AppVersion }}
{{- end }}

{{- define "operator.serverImage" -}}
{{- $image := .Values.server.image }}
{{- $name := $image.repository | default (include "generated.serverImage" .) }}
{{- if $image.digest }}
{{- printf "%s@%s" $name $image.digest }}
{{- else }}
{{- printf "%s:%s" $name ($image.tag | default (include "operator.serverVersion" .)) }}
{{- end }}
{{- end }}

{{/*
Whether this release installs the definition. It leaves one alone that something else installed, such as kustomize or
another release, and refuses to run beside one of another revision.
*/}}
{{- define "operator.installsDefinition" -}}
{{- if .Values.crds.enabled }}
{{- $name := include "generated.definition" . }}
{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name }}
{{- $notes := dict }}
{{- if $found }}
{{- $notes = $found.metadata.annotations | default dict }}
{{- end }}
{{- $owner := printf "%s/%s" (get $notes "meta.helm.sh/release-namespace") (get $notes "meta.helm.sh/release-name") }}
{{- if or (not $found) (eq $owner (printf "%s/%s" .Release.Namespace .Release.Name)) }}
{{- true }}
{{- else if ne (get $notes "zot.candlekeep.io/schema-revision") (include "generated.schemaRevision" .) }}
{{- fail (printf "the definition %s was not installed by this release and is of another version. Apply config/crd of version %s; or hand it to this release:\n  kubectl label crd %s app.kubernetes.io/managed-by=Helm --overwrite\n  kubectl annotate crd %s meta.helm.sh/release-name=%s meta.helm.sh/release-namespace=%s --overwrite\nor set crds.enabled to false" $name .Chart.AppVersion $name $name .Release.Name .Release.Namespace) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The subject of all bindings. */}}
{{- define "operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
