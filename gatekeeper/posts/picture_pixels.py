"""Opens a picture and turns it into upright sRGB pixels. Runs in the decoding child and nowhere else.

Everything a person would see is kept, everything they would not is dropped: metadata, thumbnails, further frames, the
colours under full transparency, whatever follows the picture in its file.
"""

import io
import warnings
from typing import Final

from PIL import (
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from gatekeeper.posts.picture_errors import MAX_PIXELS, refusal
from gatekeeper.posts.picture_jpeg import MAX_SCANS, JpegShape, shape_of
from gatekeeper.posts.picture_kinds import Kind
from gatekeeper.posts.picture_png import holds_every_row

# These five are all that is ever registered: MPO comes in through the JPEG opener, TIFF only reads the EXIF block.
# Naming 'MPO' in `formats` below would raise KeyError for every other kind.
WANTED: Final = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
_FORMATS: Final = {Kind.JPEG: "JPEG", Kind.PNG: "PNG", Kind.WEBP: "WEBP", Kind.HEIC: "HEIF"}
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_GREY: Final = 128
_FILLER: Final = b"\x55\xaa\x36\x9c" * 16384


def prepare(kind: Kind) -> None:
    """Load all that decoding this kind needs, so that no file has to be opened once the picture is looked at."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image._initialized = 2  # noqa: SLF001  # stops Pillow from importing its other plugins at the first open
    ImageCms.createProfile("sRGB")
    if kind is Kind.HEIC:
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=2)


def upright(data: bytes, kind: Kind) -> Image.Image:
    """The picture as a person sees it: turned upright, in sRGB, on white, as a new RGB image without any extras.

    Raises:
        PictureRefused: too many pixels, animated, damaged or cut off.
    """
    shape = _jpeg_shape(data) if kind is Kind.JPEG else None
    image = Image.open(io.BytesIO(data), formats=[_FORMATS[kind]])
    _check_size(image)
    if kind in (Kind.PNG, Kind.WEBP) and getattr(image, "n_frames", 1) > 1:
        raise refusal("animated")
    if kind is Kind.PNG and not holds_every_row(data):
        raise refusal("broken")
    image.load()
    _check_size(image)
    if shape is not None and _ends_grey(image) and _was_cut_off(image, data, shape):
        raise refusal("broken")
    turn = None if kind is Kind.HEIC else _TURNS.get(_orientation(image))  # libheif has turned the picture already
    rgb = _on_white_in_srgb(image)
    return rgb if turn is None else rgb.transpose(turn)


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise refusal("too-many-pixels")


def _jpeg_shape(data: bytes) -> JpegShape:
    shape = shape_of(data)
    if shape.width * shape.height > MAX_PIXELS:
        raise refusal("too-many-pixels")
    if shape.scans > MAX_SCANS:
        raise refusal("complex")
    if not shape.complete:
        raise refusal("broken")
    return shape


def _ends_grey(image: Image.Image) -> bool:
    """Whether the last corner is the exact grey that libjpeg leaves where no data came."""
    width, height = image.size
    corner = image.crop((max(0, width - 4), height - 1, width, height))
    return set(corner.tobytes()) == {_GREY}


def _was_cut_off(image: Image.Image, data: bytes, shape: JpegShape) -> bool:
    """Whether the decoder would have taken more data than there was: then other data changes the picture."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        longer = Image.open(io.BytesIO(data[: shape.data_end] + _FILLER), formats=["JPEG"])
        longer.load()
    except Exception:  # noqa: BLE001  # whatever goes wrong with the filler speaks against the picture
        return True
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    return longer.tobytes() != image.tobytes()


def _orientation(image: Image.Image) -> int:
    """The EXIF turn; a block that cannot be read counts as none, as it does in every viewer."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # Pillow raises a dozen kinds of error on damaged EXIF
        return 1
    return value if isinstance(value, int) else 1


def _on_white_in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    image = _eight_bits(image)
    alpha = None
    if image.mode in {"P", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    if image.mode in {"RGBA", "LA"}:
        alpha = image.getchannel("A")
        image = image.convert("RGB" if image.mode == "RGBA" else "L")
    rgb = _in_srgb(image, profile)
    page = Image.new("RGB", rgb.size, "white")
    page.paste(rgb, mask=alpha)
    return page


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits scaled to 8: a plain convert would clip almost all of it to white."""
    if not image.mode.startswith("I"):
        return image
    table = [value // 257 for value in range(65536)]
    hidden = image.info.get("transparency")
    if isinstance(hidden, int) and 0 <= hidden < len(table):
        table[hidden] = 255
    wide = image if image.mode == "I" else image.convert("I")
    return wide.point(table, "L")


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    if isinstance(profile, bytes) and profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            changed = ImageCms.profileToProfile(
                image,
                source,
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            changed = None  # a profile that is broken or of another colour model is ignored, as viewers do
        if changed is not None:
            return changed
    return image.convert("RGB")
