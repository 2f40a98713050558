// Conditions of role assignments, in the one form that is understood: for each of several actions a list of roles and kinds
// of principals that it may be about. Azure's language has more: it is refused here, so that nothing counts unread.
// https://learn.microsoft.com/azure/role-based-access-control/conditions-format

/** What a request to assign a role, or to take an assignment away, is about. */
export interface AssignmentAttributes {
  readonly source: "Request" | "Resource";
  /** The role definition's GUID. */
  readonly role: string;
  readonly principalType: string;
}

interface Clause {
  /** The action that it holds down; it says nothing of others. */
  readonly action: string;
  readonly holds: (attributes: AssignmentAttributes) => boolean;
}

const ATTRIBUTE = "@(Request|Resource)\\[Microsoft\\.Authorization/roleAssignments:(RoleDefinitionId|PrincipalType)\\]";
const TERM = new RegExp(`^${ATTRIBUTE} ?ForAnyOfAnyValues:(GuidEquals|StringEqualsIgnoreCase) ?\\{([^{}]*)\\}$`, "i");
const CLAUSE = /^\( ?\( ?!\( ?ActionMatches\{'([^']+)'\} ?\) ?\) ?OR ?\( ?(@.+[^ ]) ?\) ?\)$/i;

/** @returns the clauses of a condition, all of which have to hold; undefined where it is of another form. */
export function parseCondition(text: string): readonly Clause[] | undefined {
  const parts = text
    .replaceAll(/\s+/g, " ")
    .trim()
    .split(/(?<=\)) ?AND ?(?=\()/i);
  const clauses = parts.map(parseClause);
  return clauses.some((clause) => clause === undefined) ? undefined : (clauses as Clause[]);
}

function parseClause(text: string): Clause | undefined {
  const [, action, rest = ""] = CLAUSE.exec(text) ?? [];
  const terms = rest.split(/ AND /i).map(parseTerm);
  if (action === undefined || terms.some((term) => term === undefined)) return undefined;
  return { action, holds: (attributes) => terms.every((term) => term?.(attributes)) };
}

function parseTerm(text: string): Clause["holds"] | undefined {
  const [, source, name, operator, list] = TERM.exec(text.trim()) ?? [];
  const isRole = name?.toLowerCase() === "roledefinitionid";
  if (list === undefined || isRole !== (operator?.toLowerCase() === "guidequals")) return undefined;
  const values = list.split(",").map((value) => value.trim().replaceAll("'", "").toLowerCase());
  return (attributes) => {
    const value = isRole ? attributes.role : attributes.principalType;
    return attributes.source.toLowerCase() === source?.toLowerCase() && values.includes(value.toLowerCase());
  };
}

/**
 * Whether a condition lets an action be.
 * @param attributes what the action is about; without them no clause holds that is of this action.
 */
export function conditionHolds(text: string, action: string, attributes: AssignmentAttributes | undefined): boolean {
  const clauses = parseCondition(text) ?? [];
  return clauses
    .filter((clause) => clause.action.toLowerCase() === action.toLowerCase())
    .every((clause) => attributes !== undefined && clause.holds(attributes));
}
