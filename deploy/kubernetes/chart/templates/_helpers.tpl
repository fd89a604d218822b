{{- define "evolution-relay.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "evolution-relay.selector" -}}
app.kubernetes.io/name: evolution-relay
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "evolution-relay.labels" -}}
{{ include "evolution-relay.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "evolution-relay.image" -}}
{{- if .Values.image.digest -}}
{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else -}}
{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end -}}
{{- end -}}

{{- define "evolution-relay.secret" -}}
{{- required "existingSecret: name the Secret with RABBITMQ_URI, REDIS_URI and AUTHENTICATION_API_KEY" .Values.existingSecret -}}
{{- end -}}

{{/* What worker and gateway have in common: pod, then container. */}}
{{- define "evolution-relay.pod" -}}
serviceAccountName: {{ include "evolution-relay.name" . }}
automountServiceAccountToken: false
# Kubernetes would add variables for every service, such as GATEWAY_PORT=tcp://… for one that is named gateway.
enableServiceLinks: false
# SHUTDOWN_TIMEOUT_SECONDS, the wait before SIGTERM, and some to end the process.
terminationGracePeriodSeconds: {{ add .Values.shutdownTimeoutSeconds 15 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
{{- if .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml .Values.imagePullSecrets | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "evolution-relay.container" -}}
image: {{ include "evolution-relay.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
envFrom:
  - configMapRef:
      name: {{ include "evolution-relay.name" . }}
  - secretRef:
      name: {{ include "evolution-relay.secret" . }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Alive is not ready: what waits for RabbitMQ or Redis goes on by itself, and must not be restarted. */}}
{{- define "evolution-relay.probes" -}}
startupProbe:
  httpGet:
    path: /healthz
    port: {{ . }}
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet:
    path: /healthz
    port: {{ . }}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  httpGet:
    path: /readyz
    port: {{ . }}
  periodSeconds: 5
  timeoutSeconds: 3
{{- end -}}

{{/* Brokers and Redis in the cluster, and public addresses, as tenants choose those of their webhooks. */}}
{{- define "evolution-relay.egress" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
- to:
    - namespaceSelector: {}
  ports:
    - port: 5671
    - port: 5672
    - port: 6379
    - port: 26379
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          - 10.0.0.0/8
          - 100.64.0.0/10
          - 127.0.0.0/8
          - 169.254.0.0/16
          - 172.16.0.0/12
          - 192.168.0.0/16
    - ipBlock:
        cidr: ::/0
        except:
          - fc00::/7
          - fe80::/10
{{- if .Values.networkPolicy.extraEgress }}
{{ toYaml .Values.networkPolicy.extraEgress }}
{{- end }}
{{- end -}}
