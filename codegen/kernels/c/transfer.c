static void transfer(const xgen_transfer* c, const xgen_context* ctx, void* external) {
  char* to = (char*)(c->output ? external : ctx->arena + c->at);
  const char* from = (const char*)(c->output ? ctx->arena + c->at : external);
  if (c->flip) {
    for (size_t i = 0; i < c->bytes; ++i) to[i] = (char)((uint8_t)from[i] ^ (XGEN_FLIP & 255U));
    return;
  }
  const size_t lanes = c->bytes / 4;
  copy_lanes(to, from, (int)lanes);
  for (size_t i = 4 * lanes; i < c->bytes; ++i) to[i] = from[i];
}
