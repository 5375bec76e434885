static void split_planes(const xgen_copy* c, const xgen_context* ctx) {
  split_phases(&c->x, &c->y, ctx->arena);
}
