/* From row-major. A row is whole vectors, whose ends hold what the next row begins with: only what
 * the caller's tensor ends with is copied lane by lane. */
static void pack_f32(const xgen_pack* c, const xgen_context* ctx, const void* external) {
  const xgen_planes* to = &c->planes;
  const char* from = (const char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  const size_t image = 4 * (size_t)to->height * (size_t)to->width;
  const char* end = from + (size_t)c->channels * image;
  if (to->phases > 1) {
    for (int channel = 0; channel < c->channels; ++channel, from += image)
      split_image(from, to->width, end, to, ctx->arena, channel);
    return;
  }
  const int above = to->top * to->pitch + to->left, below = to->bottom * to->pitch + to->right;
  /* Without gaps a plane is one row. */
  const int flat = to->pitch == to->width, rows = flat ? 1 : to->height,
            width = flat ? to->height * to->width : to->width, gap = flat ? 0 : to->pitch - width;
  const ptrdiff_t whole = 4 * (ptrdiff_t)((width + LANES - 1) / LANES * LANES);
  for (int channel = 0; channel < c->channels; ++channel) {
    char* plane = ctx->arena + to->data + (size_t)channel * to->plane;
    fill_over(plane - 4 * (ptrdiff_t)above, to->border, above);
    for (int y = 0; y < rows;
         ++y, from += 4 * (ptrdiff_t)width, plane += 4 * (ptrdiff_t)to->pitch) {
      if (end - from >= whole)
        copy_over(plane, from, width);
      else
        copy_lanes(plane, from, width);
      fill_over(plane + 4 * (ptrdiff_t)width, to->border, y + 1 < rows ? gap : gap + below);
    }
  }
}
