/* To row-major, in whole vectors as far as the tensor reaches: the next row overwrites their ends.
 */
static void unpack_f32(const xgen_pack* c, const xgen_context* ctx, void* external) {
  char* to = (char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  const char* end =
      to + 4 * (size_t)c->channels * (size_t)c->planes.height * (size_t)c->planes.width;
  const int flat = c->planes.pitch == c->planes.width, rows = flat ? 1 : c->planes.height,
            width = flat ? c->planes.height * c->planes.width : c->planes.width;
  const ptrdiff_t whole = 4 * (ptrdiff_t)((width + LANES - 1) / LANES * LANES);
  for (int channel = 0; channel < c->channels; ++channel) {
    const char* plane = ctx->arena + ctx->tables[c->channel + channel] + c->planes.data;
    for (int y = 0; y < rows; ++y, to += 4 * (ptrdiff_t)width) {
      const char* from = plane + 4 * (ptrdiff_t)y * c->planes.pitch;
      if (end - to >= whole)
        copy_over(to, from, width);
      else
        copy_lanes(to, from, width);
    }
  }
}
