import { services } from '@millrace/contracts';
import { datasourceUid } from './boards/board.js';
import { generatedNotice } from './markdown.js';

const notice = `# ${generatedNotice.replaceAll('`', '')}`;
/** The port of each service inside its container; on the host they differ. */
export const containerPort = 8080;

/** deploy/prometheus/prometheus.yml: one job per service, so that `job` in boards and alerts is the service’s name. */
export function scrapeConfiguration(): string {
  const jobs = services.map((service) => `  - job_name: ${service}\n    static_configs:\n      - targets: ['${service}:${containerPort}']`);
  return `${notice}
global:
  scrape_interval: 5s
  evaluation_interval: 5s
rule_files:
  - alerts.yml
scrape_configs:
${jobs.join('\n')}
`;
}

export function datasourceProvisioning(): string {
  return `${notice}
apiVersion: 1
datasources:
  - name: Millrace
    uid: ${datasourceUid}
    type: prometheus
    access: proxy
    url: http://prometheus:9090
    isDefault: true
    jsonData:
      timeInterval: 5s
`;
}

export function boardProvisioning(): string {
  return `${notice}
apiVersion: 1
providers:
  - name: Millrace
    folder: Millrace
    type: file
    allowUiUpdates: false
    options:
      path: /var/lib/grafana/dashboards
`;
}
