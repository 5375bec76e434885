/* Any function of one u8 is a table, made when the model was compiled. */
static void table_i8(const xgen_unary* c, const xgen_context* ctx) {
  const int bytes = 4 * c->y.height * c->y.pitch;
  const vt table = vt_load((const uint8_t*)ctx->weights + c->table);
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->y.planes; ++p) {
    const char* x = ctx->arena + c->x.data + (size_t)p * c->x.plane;
    char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane;
    for (int i = 0; i < bytes; i += 4 * LANES) vi_store(y + i, vi_table(table, vi_load(x + i)));
    write_border(border, p);
  }
}
