/** Codes about prompts, their variables, values and fixtures. */
import { error, warning } from './entry.ts';

export const promptFindings = {
  prompt_variable_missing: error(
    'A prompt is used without a value for one of its variables.',
    'give the value with `.with({ … })`',
    'The model would read the braces.',
  ),
  prompt_variable_unknown: error(
    'A prompt is given a value for a variable that its templates do not mention.',
    'mention it in the template or remove it',
    'The value goes nowhere; most often the variable was renamed in one place only.',
  ),
  prompt_variable_name: error(
    'A template holds a variable whose name cannot be used.',
    'use letters, digits and underscores between {{ and }}',
    'No value can be given to it.',
  ),
  prompt_variable_twins: warning(
    'A prompt has two variables whose names differ in case or underscores only.',
    'use one spelling',
    'They are two variables with two values; one of them is a typing error.',
  ),
  prompt_choice_invalid: error(
    'A prompt variable is given a word outside its choices.',
    'use one of the choices',
    'The choices promise what the prompt was tried with.',
  ),
  prompt_choice_unknown: error(
    'A prompt lists choices for a variable that its templates do not mention.',
    'mention it in the template or remove it',
    'The choices guard nothing; most often the variable was renamed in one place only.',
  ),
  prompt_choice_single: warning(
    'A prompt variable has one choice only.',
    'write the word into the template, or add the other choices',
    'A variable that can have one value is text with detours.',
  ),
  prompt_fixture_incomplete: error(
    'A fixture does not fill exactly the variables of its prompt.',
    'give every variable one value',
    'The fixture cannot be rendered, and reviewers would see braces.',
  ),
  prompt_without_fixture: warning(
    'A prompt has variables and no fixture.',
    'add `fixtures: { usual: { … } }` with values as they really come',
    'Reviewers never see what the model will read, and the gateway has nothing to render before it serves a revision.',
  ),
  prompt_value_empty: warning(
    'A prompt variable is given an empty text.',
    'give a text, or take the variable out of the template',
    'The sentence around it reads with a hole: "You help  in a kind tone".',
  ),
  prompt_value_template: warning(
    'The value of a prompt variable has {{…}} in it.',
    'write the text out, or put the variable into the template',
    'Values are inserted as they are: the model would read the braces.',
  ),
  prompt_brace_typo: warning(
    'A template has something that looks like a variable of another template language.',
    'write {{name}}; accept it when the braces are meant as text',
    'It is sent to the model as it stands.',
  ),
  prompt_empty: warning(
    'A prompt has no text.',
    'write its text, or use no prompt',
    'Models that use it run without instructions. An imported text file that is empty is a common cause.',
  ),
  client_text_in_system: warning(
    'A text that each client may choose freely becomes part of a system prompt.',
    'limit it with `choices`, or put the variable into `user`',
    'A header or an entry of metadata may hold "ignore what stands above", and system messages are what models obey.',
  ),
  credential_in_prompt: error(
    'A prompt variable takes its value from a header that carries a credential.',
    'take it from another header or from metadata',
    "The client's key would be sent to the vendor as text and end up in its logs.",
  ),
  prompt_cache_defeated: warning(
    'A variable that differs between requests stands before a long fixed text.',
    'move the variable behind the fixed text',
    'Vendors cache prompts by their beginning: everything behind the variable is paid in full each time.',
  ),
} as const;
