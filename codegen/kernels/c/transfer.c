static void transfer(const xgen_transfer* c, const xgen_context* ctx, void* external) {
  if (!c->flip) {
    if (c->output)
      memcpy(external, ctx->arena + c->at, c->bytes);
    else
      memcpy(ctx->arena + c->at, external, c->bytes);
    return;
  }
  uint8_t* to = (uint8_t*)(c->output ? external : ctx->arena + c->at);
  const uint8_t* from = (const uint8_t*)(c->output ? ctx->arena + c->at : external);
  for (size_t i = 0; i < c->bytes; ++i) to[i] = (uint8_t)(from[i] ^ (XGEN_FLIP & 255U));
}
