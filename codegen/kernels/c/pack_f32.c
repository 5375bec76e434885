/* From row-major. */
static void pack_f32(const xgen_pack* c, const xgen_context* ctx, const void* external) {
  const xgen_planes* to = &c->planes;
  const char* from = (const char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  const size_t image = 4 * (size_t)to->height * (size_t)to->width;
  if (to->phases > 1) {
    for (int channel = 0; channel < c->channels; ++channel)
      split_image(from + (size_t)channel * image, to->width, to->width, to, ctx->arena, channel);
    return;
  }
  for (int channel = 0; channel < c->channels; ++channel) {
    char* plane = ctx->arena + to->data + (size_t)channel * to->plane;
    for (int y = 0; y < to->height; ++y, from += 4 * (size_t)to->width)
      copy_lanes(plane + 4 * (ptrdiff_t)y * to->pitch, from, to->width);
  }
  write_borders(to, ctx->arena, 0, to->planes);
}
