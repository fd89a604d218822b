import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validateWorkflow } from '@action-validator/core';
import { parse } from 'yaml';

const FOLDER = join(__dirname, '../../../.github/workflows');
const ROOT = join(__dirname, '../../..');

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const textOf = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const workflowOf = (name: string): Workflow => parse(textOf(name)) as Workflow;
const stepsOf = (name: string): Step[] => Object.values(workflowOf(name).jobs).flatMap(({ steps }) => steps);

describe.each(readdirSync(FOLDER))('the workflow %s', (name) => {
  it('is one, by the schema of GitHub', () => {
    expect(validateWorkflow(textOf(name)).errors).toEqual([]);
  });

  it('may read and nothing else, unless a job says what it needs; every job ends', () => {
    const { permissions, jobs } = workflowOf(name);
    expect(permissions).toEqual({ contents: 'read' });
    for (const [job, { 'timeout-minutes': minutes }] of Object.entries(jobs))
      expect({ job, isBounded: minutes !== undefined && minutes <= 60 }).toEqual({ job, isBounded: true });
  });

  it('uses actions of one commit, whose version stands beside it, and runs scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    for (const { uses, run = '' } of stepsOf(name)) {
      if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      for (const [, script = ''] of run.matchAll(/npm run (?:--silent )?([\w:]+)/g))
        expect(Object.keys(scripts)).toContain(script);
    }
    for (const line of textOf(name).match(/uses: .*/g) ?? []) expect(line).toMatch(/ # v\d+\.\d+\.\d+$/);
  });
});

it('a mistake in a workflow is found', () => {
  expect(validateWorkflow(textOf('ci.yml').replace('runs-on:', 'run-on:')).errors.length).toBeGreaterThan(0);
});

it('images are built for both architectures, with provenance and SBOM, from our Dockerfile', () => {
  for (const name of ['image.yml', 'release.yml']) {
    const build = stepsOf(name).find(({ uses }) => uses?.startsWith('docker/build-push-action@'));
    expect(build?.with).toMatchObject({
      file: 'deploy/Dockerfile',
      platforms: 'linux/amd64,linux/arm64',
      provenance: 'mode=max',
      sbom: true,
    });
  }
});

it('names of images are made by an action: an owner with capitals, as GitHub gives it, is no name of an image', () => {
  for (const name of ['image.yml', 'release.yml']) {
    const steps = stepsOf(name);
    const build = steps.find(({ uses }) => uses?.startsWith('docker/build-push-action@'));
    expect(build?.with).toMatchObject({ tags: expect.stringContaining(' steps.tags.outputs.tags ') });
    expect(steps.find(({ id }) => id === 'tags')?.uses).toMatch(/^docker\/metadata-action@/);
  }
});

it('a package that is published with provenance names its repository first: npm refuses it otherwise', () => {
  const runs = stepsOf('release.yml').map(({ run = '' }) => run);
  const named = runs.findIndex((run) => /npm pkg set .*repository\.url=/.test(run));
  expect(named).toBeGreaterThanOrEqual(0);
  expect(runs.indexOf('npm pack')).toBeGreaterThan(named);
  expect(runs[named]).toContain('"repository.url=git+$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git"');
});

it('a release is tested first, and its package is published with provenance', () => {
  const text = textOf('release.yml');
  expect(text.match(/needs: test/g)?.length).toBe(2);
  expect(text).toContain('npm publish --provenance');
});
