"""Kernels of images `[n, h, w, c]` that are resized; written like those in `rows`.

`T` is the type of what is read, `I` that of results. Rows are numbered through all images. Where
pixels come from stands in tables: see `ops/images/sampling.py`.
"""

from __future__ import annotations

from hybridflow._src.kernels.memory import NAMESPACE

word = NAMESPACE["word"]
load_T, store_T = NAMESPACE["load_f64"], NAMESPACE["store_f64"]
load_I, store_I = NAMESPACE["load_i64"], NAMESPACE["store_i64"]
load_i64, load_i32 = NAMESPACE["load_i64"], NAMESPACE["load_i32"]
load_f32, store_f32 = NAMESPACE["load_f32"], NAMESPACE["store_f32"]
T, I, i64 = NAMESPACE["f64"], NAMESPACE["i64"], NAMESPACE["i64"]  # noqa: E741
f32, f64 = NAMESPACE["f32"], NAMESPACE["f64"]


def picked(a: int) -> int:
    """Each pixel of a result is one of an image.

    Words: first and last row of the results; images, their height, width and channels; height and
    width of the results; for each row and column of these where it comes from; the results.
    """
    width = word(a, 4)
    channels = word(a, 5)
    height = word(a, 6)
    columns = word(a, 7)
    result = word(a, 10)
    for row in range(word(a, 0), word(a, 1)):
        line = row // height * word(a, 3) + load_i64(word(a, 8), row % height, 1)
        for j in range(columns):
            source = (line * width + load_i64(word(a, 9), j, 2)) * channels
            target = (row * columns + j) * channels
            for c in range(channels):
                store_T(result, target + c, 3, load_T(word(a, 2), source + c, 0))
    return 0


def interpolated(a: int) -> int:
    """Each pixel of a result lies on straight lines between four of an image, as float32.

    Words: first and last row of the results; images, their height, width and channels; height and
    width of the results; for their rows: the row above, the one below, how far from the first; the
    same for columns; the results; memory for two rows of them.
    """
    width = word(a, 4)
    channels = word(a, 5)
    height = word(a, 6)
    columns = word(a, 7)
    length = columns * channels
    result = word(a, 14)
    lines = word(a, 15)
    # Which rows are stretched already: neighbours differ in whether they are even.
    even = -1
    odd = -1
    for row in range(word(a, 0), word(a, 1)):
        top = row // height * word(a, 3)
        above = top + load_i64(word(a, 8), row % height, 1)
        below = top + load_i64(word(a, 9), row % height, 2)
        for side in range(2):
            line = above
            if side == 1:
                line = below
            is_odd = line % 2
            held = even
            if is_odd == 1:
                held = odd
            if held != line:
                for j in range(columns):
                    left = (line * width + load_i64(word(a, 11), j, 4)) * channels
                    right = (line * width + load_i64(word(a, 12), j, 5)) * channels
                    far = load_f32(word(a, 13), j, 6)
                    to = is_odd * length + j * channels
                    for c in range(channels):
                        x = f32(load_T(word(a, 2), left + c, 0))
                        y = f32(load_T(word(a, 2), right + c, 0))
                        store_f32(lines, to + c, 8, f32(x + (y - x) * far))
                if is_odd == 1:
                    odd = line
                else:
                    even = line
        far = load_f32(word(a, 10), row % height, 3)
        first = above % 2 * length
        second = below % 2 * length
        for j in range(length):
            x = load_f32(lines, first + j, 8)
            y = load_f32(lines, second + j, 8)
            store_f32(result, row * length + j, 7, f32(x + (y - x) * far))
    return 0


def weighted(a: int) -> int:
    """Each pixel of a result is a sum of pixels of an image with weights.

    Words: first and last row of the results; images, their height, width and channels; height and
    width of the results; for their rows: where taps start, which rows they are, their weights
    (float32); the same for columns; a factor (float32); the results; memory for a row of an image.
    """
    width = word(a, 4)
    channels = word(a, 5)
    height = word(a, 6)
    columns = word(a, 7)
    length = width * channels
    factor = I(load_f32(word(a, 14), 0, 7))
    result = word(a, 15)
    line = word(a, 16)
    for row in range(word(a, 0), word(a, 1)):
        top = row // height * word(a, 3)
        tap = load_i64(word(a, 8), row % height, 1)
        end = load_i64(word(a, 8), row % height + 1, 1)
        if tap == end:
            for j in range(length):
                store_I(line, j, 9, I(0))
        else:
            source = (top + load_i64(word(a, 9), tap, 2)) * length
            weight = I(load_f32(word(a, 10), tap, 3))
            for j in range(length):
                store_I(line, j, 9, I(load_T(word(a, 2), source + j, 0)) * weight)
            tap += 1
        while tap < end:
            source = (top + load_i64(word(a, 9), tap, 2)) * length
            weight = I(load_f32(word(a, 10), tap, 3))
            for j in range(length):
                more = I(load_T(word(a, 2), source + j, 0)) * weight
                store_I(line, j, 9, I(load_I(line, j, 9) + more))
            tap += 1
        for j in range(columns):
            first = load_i64(word(a, 11), j, 4)
            end = load_i64(word(a, 11), j + 1, 4)
            target = (row * columns + j) * channels
            for c in range(channels):
                total = I(0)
                if first < end:
                    # Zeros keep their signs.
                    at = load_i64(word(a, 12), first, 5) * channels + c
                    total = I(load_I(line, at, 9) * I(load_f32(word(a, 13), first, 6)))
                for tap in range(first + 1, end):
                    at = load_i64(word(a, 12), tap, 5) * channels + c
                    total += load_I(line, at, 9) * I(load_f32(word(a, 13), tap, 6))
                store_I(result, target + c, 8, I(total * factor))
    return 0


def cropped(a: int) -> int:
    """Parts of images, each stretched to one size, as float32.

    Words: first and last row of the results; images, their height, width and channels; boxes
    (float32: top, left, bottom, right, each from 0 to 1), the image of each (int32, checked);
    height and width of the results; what lies outside of images (float32); the results.
    """
    height = word(a, 3)
    width = word(a, 4)
    channels = word(a, 5)
    rows = word(a, 8)
    columns = word(a, 9)
    outside = load_f32(word(a, 10), 0, 3)
    result = word(a, 11)
    last_row = f32(height - 1)
    last_column = f32(width - 1)
    for row in range(word(a, 0), word(a, 1)):
        box = row // rows
        top = load_f32(word(a, 6), 4 * box, 1)
        left = load_f32(word(a, 6), 4 * box + 1, 1)
        bottom = load_f32(word(a, 6), 4 * box + 2, 1)
        right = load_f32(word(a, 6), 4 * box + 3, 1)
        image = i64(load_i32(word(a, 7), box, 2)) * height
        y = f32(f64(0.5) * f64(top + bottom) * f64(last_row))
        if rows > 1:
            down = f32((bottom - top) * last_row / f32(rows - 1))
            y = f32(top * last_row + f32(row % rows) * down)
        here = row * columns * channels
        if y >= f32(0) and y <= last_row:
            above = i64(y)
            below = min(above + 1, height - 1)
            far_down = f32(y - f32(above))
            if far_down == f32(0):
                below = above
            above = (image + above) * width
            below = (image + below) * width
            for j in range(columns):
                x = f32(f64(0.5) * f64(left + right) * f64(last_column))
                if columns > 1:
                    across = f32((right - left) * last_column / f32(columns - 1))
                    x = f32(left * last_column + f32(j) * across)
                if x >= f32(0) and x <= last_column:
                    first = i64(x)
                    second = min(first + 1, width - 1)
                    far = f32(x - f32(first))
                    if far == f32(0):
                        second = first
                    for c in range(channels):
                        p = f32(load_T(word(a, 2), (above + first) * channels + c, 0))
                        q = f32(load_T(word(a, 2), (above + second) * channels + c, 0))
                        upper = f32(p + (q - p) * far)
                        p = f32(load_T(word(a, 2), (below + first) * channels + c, 0))
                        q = f32(load_T(word(a, 2), (below + second) * channels + c, 0))
                        lower = f32(p + (q - p) * far)
                        value = f32(upper + (lower - upper) * far_down)
                        store_f32(result, here + j * channels + c, 4, value)
                else:
                    for c in range(channels):
                        store_f32(result, here + j * channels + c, 4, outside)
        else:
            for j in range(columns * channels):
                store_f32(result, here + j, 4, outside)
    return 0


def cropped_image_gradient(a: int) -> int:
    """The gradients of images whose parts were stretched: `T` is what they are.

    Words: gradients of the parts (float32), how many, their height, width and channels; boxes, the
    image of each; the results, their height and width, how many elements they have.
    """
    rows = word(a, 2)
    columns = word(a, 3)
    channels = word(a, 4)
    result = word(a, 7)
    height = word(a, 8)
    width = word(a, 9)
    last_row = f32(height - 1)
    last_column = f32(width - 1)
    for j in range(word(a, 10)):
        store_T(result, j, 3, T(0))
    for row in range(word(a, 1) * rows):
        box = row // rows
        top = load_f32(word(a, 5), 4 * box, 1)
        left = load_f32(word(a, 5), 4 * box + 1, 1)
        bottom = load_f32(word(a, 5), 4 * box + 2, 1)
        right = load_f32(word(a, 5), 4 * box + 3, 1)
        image = i64(load_i32(word(a, 6), box, 2)) * height
        y = f32(f64(0.5) * f64(top + bottom) * f64(last_row))
        if rows > 1:
            down = f32((bottom - top) * last_row / f32(rows - 1))
            y = f32(top * last_row + f32(row % rows) * down)
        if y >= f32(0) and y <= last_row:
            above = i64(y)
            below = min(above + 1, height - 1)
            far_down = f32(y - f32(above))
            if far_down == f32(0):
                below = above
            above = (image + above) * width
            below = (image + below) * width
            for j in range(columns):
                x = f32(f64(0.5) * f64(left + right) * f64(last_column))
                if columns > 1:
                    across = f32((right - left) * last_column / f32(columns - 1))
                    x = f32(left * last_column + f32(j) * across)
                if x >= f32(0) and x <= last_column:
                    first = i64(x)
                    second = min(first + 1, width - 1)
                    far = f32(x - f32(first))
                    if far == f32(0):
                        second = first
                    for c in range(channels):
                        slope = load_f32(word(a, 0), (row * columns + j) * channels + c, 0)
                        upper = f32((f32(1) - far_down) * slope)
                        lower = f32(far_down * slope)
                        at = (above + first) * channels + c
                        store_T(result, at, 3, T(load_T(result, at, 3) + (f32(1) - far) * upper))
                        at = (above + second) * channels + c
                        store_T(result, at, 3, T(load_T(result, at, 3) + far * upper))
                        at = (below + first) * channels + c
                        store_T(result, at, 3, T(load_T(result, at, 3) + (f32(1) - far) * lower))
                        at = (below + second) * channels + c
                        store_T(result, at, 3, T(load_T(result, at, 3) + far * lower))
    return 0


def cropped_box_gradient(a: int) -> int:
    """The gradients of boxes whose parts of images were stretched, float32.

    Words: first and last box; gradients of the parts (float32), their height, width and channels;
    images, their height and width; boxes, the image of each; the results.
    """
    rows = word(a, 3)
    columns = word(a, 4)
    channels = word(a, 5)
    height = word(a, 7)
    width = word(a, 8)
    last_row = f32(height - 1)
    last_column = f32(width - 1)
    for box in range(word(a, 0), word(a, 1)):
        top = load_f32(word(a, 9), 4 * box, 2)
        left = load_f32(word(a, 9), 4 * box + 1, 2)
        bottom = load_f32(word(a, 9), 4 * box + 2, 2)
        right = load_f32(word(a, 9), 4 * box + 3, 2)
        image = i64(load_i32(word(a, 10), box, 3)) * height
        dtop = f64(0)
        dleft = f64(0)
        dbottom = f64(0)
        dright = f64(0)
        for i in range(rows):
            y = f32(f64(0.5) * f64(top + bottom) * f64(last_row))
            share_y = f64(0.5)
            if rows > 1:
                down = f32((bottom - top) * last_row / f32(rows - 1))
                y = f32(top * last_row + f32(i) * down)
                share_y = f64(i) / f64(rows - 1)
            if y >= f32(0) and y <= last_row:
                above = i64(y)
                below = min(above + 1, height - 1)
                far_down = f32(y - f32(above))
                if far_down == f32(0):
                    below = above
                above = (image + above) * width
                below = (image + below) * width
                for j in range(columns):
                    x = f32(f64(0.5) * f64(left + right) * f64(last_column))
                    share_x = f64(0.5)
                    if columns > 1:
                        across = f32((right - left) * last_column / f32(columns - 1))
                        x = f32(left * last_column + f32(j) * across)
                        share_x = f64(j) / f64(columns - 1)
                    if x >= f32(0) and x <= last_column:
                        first = i64(x)
                        second = min(first + 1, width - 1)
                        far = f32(x - f32(first))
                        if far == f32(0):
                            second = first
                        here = ((box * rows + i) * columns + j) * channels
                        dy = f64(0)
                        dx = f64(0)
                        for c in range(channels):
                            slope = f64(load_f32(word(a, 2), here + c, 0))
                            p = f32(load_T(word(a, 6), (above + first) * channels + c, 1))
                            q = f32(load_T(word(a, 6), (above + second) * channels + c, 1))
                            r = f32(load_T(word(a, 6), (below + first) * channels + c, 1))
                            s = f32(load_T(word(a, 6), (below + second) * channels + c, 1))
                            dy += slope * f64((f32(1) - far) * (r - p) + far * (s - q))
                            dx += slope * f64((f32(1) - far_down) * (q - p) + far_down * (s - r))
                        dy *= f64(last_row)
                        dx *= f64(last_column)
                        dtop += dy * (f64(1) - share_y)
                        dbottom += dy * share_y
                        dleft += dx * (f64(1) - share_x)
                        dright += dx * share_x
        store_f32(word(a, 11), 4 * box, 4, f32(dtop))
        store_f32(word(a, 11), 4 * box + 1, 4, f32(dleft))
        store_f32(word(a, 11), 4 * box + 2, 4, f32(dbottom))
        store_f32(word(a, 11), 4 * box + 3, 4, f32(dright))
    return 0
