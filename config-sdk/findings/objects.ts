/** Codes about any declared object: its values, references, names and lists. */
import { error, warning } from './entry.ts';

export const objectFindings = {
  not_data: error(
    'A value has no JSON form: a function, a class instance, NaN, a cycle.',
    'use strings, numbers, booleans, lists and plain objects',
    'The snapshot is JSON; such a value would vanish from it or change.',
  ),
  wrong_reference: error(
    'A value of another sort stands where a declared object is expected.',
    'give the value that the define function returned',
    'References are compiled to names; this one has none of the right sort.',
  ),
  unknown_model: error(
    'A target names a model that its provider does not declare.',
    'add it to the `models` of the provider',
    'Its context window is not known, and most often the vendor does not know the model either.',
  ),
  not_served: error(
    'A consumer names a model or route that defineGateway does not list, or a prompt that no model has which is served.',
    'add it to defineGateway, or take it out here',
    'The consumer is promised something that clients get a 404 for.',
  ),
  invalid_value: error(
    'A value is of the wrong type or out of its range.',
    'give a value that fits',
    'The runtime refuses a revision with such a value.',
  ),
  missing_value: error(
    'A required property is missing.',
    'add the property',
    'The runtime refuses a revision without it.',
  ),
  unknown_property: error(
    'A property is not known here.',
    'check its spelling; options depend on `kind`',
    'A misspelt option would leave its default in force without a word.',
  ),
  bad_name: error(
    'An object has a name that cannot be published.',
    'start with a letter or digit',
    'Names stand in headers, metrics and log lines, and must be safe there.',
  ),
  duplicate_name: error(
    'Two objects of one sort have the same name.',
    'rename one of them',
    'Only one of the two can be published under the name; counts and metrics of both would be mixed. Of two invariants, nobody knows which is broken.',
  ),
  near_duplicate_name: warning(
    'Two objects of one sort have names that differ in case, dashes or underscores only.',
    'rename one of them so that both can be told apart when spoken',
    'Clients and colleagues ask for the one and get the other.',
  ),
  unused_declaration: warning(
    'An object is declared and nothing that is served refers to it.',
    'refer to it or remove it',
    'It is not published: a quota or policy that was forgotten here protects nothing.',
  ),
  repeated_declaration: warning(
    'Two objects of one sort say exactly the same.',
    'use one of them in both places',
    'The next edit will change one copy and forget the other.',
  ),
  listed_twice: warning(
    'A list names the same thing twice.',
    'take the second one out',
    'The second entry does nothing; most often another one was meant.',
  ),
} as const;
