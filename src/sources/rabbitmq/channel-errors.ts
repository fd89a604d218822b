/** What a client asked for that the broker closes its channel over. */
interface Method {
  readonly classId: number;
  readonly methodId: number;
}

export const BASIC_CONSUME: Method = { classId: 60, methodId: 20 };
/** The broker answers to nothing. */
export const NO_METHOD: Method = { classId: 0, methodId: 0 };

/** Whether the broker closed the channel over this method. */
export function isAbout(error: Error, { classId, methodId }: Method): boolean {
  return (
    'classId' in error && error.classId === classId && 'methodId' in error && error.methodId === methodId
  );
}
