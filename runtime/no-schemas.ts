/** For servers of Fastify whose routes have no schemas: its compilers of schemas are a hundred modules, loaded unless others are given. */

const unneeded = () => () => {
  throw new Error('a route has a schema, and this server was given no compiler for it');
};

export const noSchemas = { compilersFactory: { buildValidator: unneeded, buildSerializer: unneeded } };
