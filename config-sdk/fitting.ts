/**
 * The checks that happen in the editor: whether each leg of a model is for the same and can do what the model needs. Types only. What does
 * not fit becomes a type whose one property says why, so that the compiler's message is a sentence about that value.
 */
import type { Capability, ModelKind, QuotaUnit } from '@headgate/runtime/snapshot';
import type { Catalogue } from './catalogue/vendors/index.ts';
import type { ContextPolicy, Decimal, Group, Quota, Target } from './handles.ts';

export type { QuotaUnit } from '@headgate/runtime/snapshot';

export type Leg = Target | Group<unknown>;
/** Lists of legs are never empty. */
export type Legs = readonly [Leg, ...Leg[]];
/** Every target in a leg, in nested groups too. */
export type TargetsIn<Each> = Each extends Target ? Each : Each extends Group<infer Members> ? Members : never;

/** The models of a vendor that the catalogue knows; of a kind without a vendor, none. */
export type KnownModels<Kind> = Kind extends keyof Catalogue ? Catalogue[Kind] : {};

type Or<First, Second> = [First] extends [never] ? Second : First;
type KnownFact<Kind, Id, Fact> = Id extends keyof KnownModels<Kind>
  ? Fact extends keyof KnownModels<Kind>[Id]
    ? KnownModels<Kind>[Id][Fact]
    : never
  : never;
type KnownTraits<Kind, Id> = KnownFact<Kind, Id, 'traits'>;

/** Window of a model: as written, else as the catalogue says. `Written` is every literal among the facts in config. */
export type WindowOf<Kind, Id, Written> = Or<Extract<Written, number>, KnownFact<Kind, Id, 'window'>> & number;
/** Kind and capabilities by name, and `priced`: each as written, else as the catalogue says. */
export type TraitsOf<Kind, Id, Written> =
  | Or<Extract<Written, Capability>, Extract<KnownTraits<Kind, Id>, Capability>>
  | Or<Extract<Written, ModelKind>, Or<Extract<KnownTraits<Kind, Id>, ModelKind>, 'chat'>>
  | (Extract<Written, Decimal> extends never ? Extract<KnownTraits<Kind, Id>, 'priced'> : 'priced');

/** Elements of a list written in place; a list of unknown length, such as one with a mistake in it, asks for nothing. */
type Written<List> = List extends readonly (infer Each extends string)[]
  ? number extends List['length']
    ? never
    : Each
  : never;

/** What no path of the gateway asks for is taken as meant for chat, and refused. */
type Purpose = Exclude<ModelKind, 'responses' | 'realtime'>;
type TraitsIn<Of> = Of extends Target<string, infer Traits, number> ? Traits : never;
/** What a model is for is what its first leg is for. */
type PurposeOf<Of> = Of extends readonly [infer First, ...unknown[]]
  ? Or<Extract<TraitsIn<TargetsIn<First>>, Exclude<Purpose, 'chat'>>, 'chat'>
  : 'chat';

/** A model behind the vendor's responses API alone is one for chat too. */
type ForTalk<Traits> = 'responses' extends Traits ? Traits | 'chat' : Traits;

type Unfit<Of, Need extends string, For> =
  Of extends Target<infer Name, infer Traits, number>
    ? [For] extends [ForTalk<Traits>]
      ? [Exclude<Need, Traits>] extends [never]
        ? never
        : { [Reason in `${Name} lacks`]: Exclude<Need, Traits> }
      : { [Reason in `${Name} is no model for`]: For }
    : never;

/** `Each` itself when all of its targets are for the same as the first of `All`, and can do what is needed. */
export type Fit<Each, Needs, All> = Or<Unfit<TargetsIn<Each>, Written<Needs>, PurposeOf<All>>, Each>;

/** `Value` itself in a model for chat: nothing else has messages. */
export type ForChat<Option extends string, Value, All> = [PurposeOf<All>] extends ['chat']
  ? Value
  : { [Reason in `a ${Option} means nothing in a model for`]: PurposeOf<All> };

type Order<Left extends string, Right extends string> = Left extends Right
  ? 'same'
  : '0123456789' extends `${string}${Left}${string}${Right}${string}`
    ? 'below'
    : 'above';
/** Compares digit by digit; the longer number is the larger one. */
type Compare<Left extends string, Right extends string, So = 'same'> = Left extends `${infer One}${infer LeftRest}`
  ? Right extends `${infer Other}${infer RightRest}`
    ? Compare<LeftRest, RightRest, So extends 'same' ? Order<One, Other> : So>
    : 'above'
  : Right extends ''
    ? So
    : 'below';
/** Whether one literal number is above another; what is not literal is not judged. */
export type Above<Left extends number, Right extends number> = number extends Left | Right
  ? false
  : Compare<`${Left}`, `${Right}`> extends 'above'
    ? true
    : false;

type TooLarge<Budget extends number, Of> =
  Of extends Target<infer Name, string, infer Window>
    ? Above<Budget, Window> extends true
      ? { [Reason in `${Budget} tokens do not fit ${Name}, whose window is`]: Window }
      : never
    : never;

/** The policy itself when its budget is within the window of every target. */
export type FitContext<Budget extends number, Of> = Or<TooLarge<Budget, Of>, ContextPolicy<Budget>>;

/** Units that count money, of those of quotas. */
type MoneyUnit = 'usd';

type Unpriced<Of, Unit> =
  Of extends Target<infer Name, infer Traits, number>
    ? 'priced' extends Traits
      ? never
      : { [Reason in `${Name} has no price for a quota in`]: Unit }
    : never;

/** A quota that counts no money, or counts it where every target has a price. One with a mistake in it is of any unit. */
type FitUnit<Unit, To extends string, Of> = [QuotaUnit] extends [Unit]
  ? Quota<Unit & string, To>
  : [Extract<Unit, MoneyUnit>] extends [never]
    ? Quota<Unit & string, To>
    : [Unpriced<Of, MoneyUnit>] extends [never]
      ? Quota<Unit & string, To>
      : Quota<Exclude<Unit, MoneyUnit> & string, To> | Unpriced<Of, Extract<Unit, MoneyUnit>>;

/** What a model is for; one with a mistake in its first leg may be for anything. */
export type ModelFor<Of> = Of extends readonly [infer First, ...unknown[]]
  ? string extends TraitsIn<TargetsIn<First>>
    ? string
    : PurposeOf<Of>
  : string;

/** The quota itself, unless one of the targets has no price that it counts by, or it sends calls to a model for something else. */
export type FitQuota<Unit, To, All extends readonly unknown[]> = [To] extends [ModelFor<All>]
  ? FitUnit<Unit, To & string, TargetsIn<All[number]>>
  : string extends To
    ? FitUnit<Unit, To & string, TargetsIn<All[number]>>
    :
        | FitUnit<Unit, Extract<To, ModelFor<All>> & string, TargetsIn<All[number]>>
        | {
            [
              Reason in `it sends calls to a model for ${Exclude<To, ModelFor<All>> & string}, and this one is for`
            ]: ModelFor<All>;
          };
