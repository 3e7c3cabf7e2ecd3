"""Names that TensorFlow gained between 1.4 and 1.15 for what 1.4 has under another one.

In the module `tf.random`, `normal=random_normal` says that `tf.random.normal` is what
`tf.random_normal` is; a name alone, that the name is the same in `tf`.
"""

from __future__ import annotations

_SPELLINGS = {
    "": """
        batch_cholesky=cholesky batch_cholesky_solve=cholesky_solve batch_fft=fft batch_fft2d=fft2d
        batch_fft3d=fft3d batch_ifft=ifft batch_ifft2d=ifft2d batch_ifft3d=ifft3d
        batch_matrix_band_part=matrix_band_part batch_matrix_determinant=matrix_determinant
        batch_matrix_diag=matrix_diag batch_matrix_diag_part=matrix_diag_part
        batch_matrix_inverse=matrix_inverse batch_matrix_set_diag=matrix_set_diag
        batch_matrix_solve=matrix_solve batch_matrix_solve_ls=matrix_solve_ls
        batch_matrix_transpose=matrix_transpose
        batch_matrix_triangular_solve=matrix_triangular_solve
        batch_self_adjoint_eig=self_adjoint_eig batch_self_adjoint_eigvals=self_adjoint_eigvals
        get_seed=random.get_seed no_gradient=NoGradient
        tensor_scatter_nd_add=tensor_scatter_add tensor_scatter_nd_sub=tensor_scatter_sub
        tensor_scatter_nd_update=tensor_scatter_update
    """,
    ".debugging": """
        Assert assert_all_finite=verify_tensor_all_finite assert_equal assert_greater
        assert_greater_equal assert_integer assert_less assert_less_equal assert_near
        assert_negative assert_non_negative assert_non_positive assert_none_equal assert_positive
        assert_proper_iterable assert_rank assert_rank_at_least assert_rank_in
        assert_same_float_dtype assert_scalar assert_type check_numerics is_finite is_inf is_nan
        is_non_decreasing is_numeric_tensor is_strictly_increasing
    """,
    ".dtypes": """
        DType as_dtype as_string bool cast complex complex128 complex64 double float16 float32
        float64 half int16 int32 int64 int8 resource saturate_cast string uint16 uint32 uint64
        uint8 variant
    """,
    ".graph_util": """
        import_graph_def
    """,
    ".initializers": """
        tables_initializer
    """,
    ".image": """
        extract_image_patches random_crop resize=image.resize_images
        resize_with_crop_or_pad=image.resize_image_with_crop_or_pad transpose=image.transpose_image
    """,
    ".io": """
        decode_and_crop_jpeg=image.decode_and_crop_jpeg decode_bmp=image.decode_bmp
        decode_gif=image.decode_gif decode_image=image.decode_image decode_jpeg=image.decode_jpeg
        decode_png=image.decode_png encode_jpeg=image.encode_jpeg
        extract_jpeg_shape=image.extract_jpeg_shape is_jpeg=image.is_jpeg
        FixedLenFeature FixedLenSequenceFeature PaddingFIFOQueue PriorityQueue QueueBase
        RandomShuffleQueue SparseFeature TFRecordCompressionType=python_io.TFRecordCompressionType
        TFRecordOptions=python_io.TFRecordOptions TFRecordWriter=python_io.TFRecordWriter
        VarLenFeature decode_base64 decode_csv decode_json_example decode_raw
        deserialize_many_sparse encode_base64 match_filenames_once=train.match_filenames_once
        matching_files parse_example parse_single_example parse_single_sequence_example
        parse_tensor read_file serialize_many_sparse serialize_sparse serialize_tensor
        tf_record_iterator=python_io.tf_record_iterator write_file write_graph=train.write_graph
    """,
    ".io.gfile": """
        copy=gfile.Copy exists=gfile.Exists glob=gfile.Glob isdir=gfile.IsDirectory
        listdir=gfile.ListDirectory makedirs=gfile.MakeDirs mkdir=gfile.MkDir remove=gfile.Remove
        rename=gfile.Rename rmtree=gfile.DeleteRecursively stat=gfile.Stat walk=gfile.Walk
        GFile=gfile.GFile
    """,
    ".linalg": """
        cross global_norm l2_normalize=nn.l2_normalize matmul matrix_transpose tensor_diag=diag
        tensor_diag_part=diag_part
    """,
    ".lookup": """
        KeyValueTensorInitializer=contrib.lookup.KeyValueTensorInitializer
        TextFileIndex=contrib.lookup.TextFileIndex
        TextFileInitializer=contrib.lookup.TextFileInitializer
    """,
    ".manip": """
        batch_to_space_nd gather_nd reshape reverse roll scatter_nd space_to_batch_nd tile
    """,
    ".math": """
        bessel_i0 bessel_i0e bessel_i1 bessel_i1e betainc igamma igammac multiply_no_nan nextafter
        polyval reduce_euclidean_norm reduce_std reduce_variance unsorted_segment_mean
        unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n
        abs accumulate_n acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh
        bincount ceil confusion_matrix conj cos cosh count_nonzero cumprod cumsum digamma divide
        divide_no_nan=div_no_nan equal erf erfc exp expm1 floor floordiv floormod greater
        greater_equal imag in_top_k=nn.in_top_k invert_permutation is_finite is_inf is_nan
        is_non_decreasing is_strictly_increasing l2_normalize=nn.l2_normalize lbeta less
        less_equal lgamma log log1p log_sigmoid log_softmax=nn.log_softmax logical_and logical_not
        logical_or logical_xor maximum minimum mod multiply negative not_equal polygamma pow real
        reciprocal reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min
        reduce_prod reduce_sum rint round rsqrt scalar_mul segment_max segment_mean segment_min
        segment_prod segment_sum sigmoid sign sin sinh softmax=nn.softmax softplus=nn.softplus
        softsign=nn.softsign sqrt square squared_difference subtract tan tanh top_k=nn.top_k
        truediv unsorted_segment_max unsorted_segment_sum xdivy xlogy
        polyval reduce_euclidean_norm reduce_std reduce_variance unsorted_segment_mean
        unsorted_segment_min unsorted_segment_sqrt_n zero_fraction=nn.zero_fraction zeta
    """,
    ".nest": """
        is_nested=nest.is_sequence
    """,
    ".nn": """
        avg_pool2d=nn.avg_pool conv3d_backprop_filter=nn.conv3d_backprop_filter_v2 depth_to_space
        depthwise_conv2d_backprop_filter=nn.depthwise_conv2d_native_backprop_filter
        depthwise_conv2d_backprop_input=nn.depthwise_conv2d_native_backprop_input space_to_batch
        space_to_depth
    """,
    ".quantization": """
        dequantize fake_quant_with_min_max_args fake_quant_with_min_max_args_gradient
        fake_quant_with_min_max_vars fake_quant_with_min_max_vars_gradient
        fake_quant_with_min_max_vars_per_channel
        fake_quant_with_min_max_vars_per_channel_gradient quantize
    """,
    ".queue": """
        FIFOQueue PaddingFIFOQueue PriorityQueue QueueBase RandomShuffleQueue
    """,
    ".random": """
        gamma=random_gamma poisson=random_poisson
        get_seed=python.framework.random_seed.get_seed
        all_candidate_sampler=nn.all_candidate_sampler
        fixed_unigram_candidate_sampler=nn.fixed_unigram_candidate_sampler
        learned_unigram_candidate_sampler=nn.learned_unigram_candidate_sampler
        log_uniform_candidate_sampler=nn.log_uniform_candidate_sampler multinomial
        normal=random_normal set_random_seed shuffle=random_shuffle truncated_normal
        uniform=random_uniform uniform_candidate_sampler=nn.uniform_candidate_sampler
    """,
    ".saved_model": """
        ASSETS_DIRECTORY=saved_model.constants.ASSETS_DIRECTORY
        ASSETS_KEY=saved_model.constants.ASSETS_KEY
        LEGACY_INIT_OP_KEY=saved_model.constants.LEGACY_INIT_OP_KEY
        MAIN_OP_KEY=saved_model.constants.MAIN_OP_KEY
        SAVED_MODEL_FILENAME_PB=saved_model.constants.SAVED_MODEL_FILENAME_PB
        SAVED_MODEL_FILENAME_PBTXT=saved_model.constants.SAVED_MODEL_FILENAME_PBTXT
        SAVED_MODEL_SCHEMA_VERSION=saved_model.constants.SAVED_MODEL_SCHEMA_VERSION
        VARIABLES_DIRECTORY=saved_model.constants.VARIABLES_DIRECTORY
        VARIABLES_FILENAME=saved_model.constants.VARIABLES_FILENAME
        CLASSIFY_INPUTS=saved_model.signature_constants.CLASSIFY_INPUTS
        CLASSIFY_METHOD_NAME=saved_model.signature_constants.CLASSIFY_METHOD_NAME
        CLASSIFY_OUTPUT_CLASSES=saved_model.signature_constants.CLASSIFY_OUTPUT_CLASSES
        CLASSIFY_OUTPUT_SCORES=saved_model.signature_constants.CLASSIFY_OUTPUT_SCORES
        DEFAULT_SERVING_SIGNATURE_DEF_KEY=saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        PREDICT_INPUTS=saved_model.signature_constants.PREDICT_INPUTS
        PREDICT_METHOD_NAME=saved_model.signature_constants.PREDICT_METHOD_NAME
        PREDICT_OUTPUTS=saved_model.signature_constants.PREDICT_OUTPUTS
        REGRESS_INPUTS=saved_model.signature_constants.REGRESS_INPUTS
        REGRESS_METHOD_NAME=saved_model.signature_constants.REGRESS_METHOD_NAME
        REGRESS_OUTPUTS=saved_model.signature_constants.REGRESS_OUTPUTS
        GPU=saved_model.tag_constants.GPU SERVING=saved_model.tag_constants.SERVING
        TPU=saved_model.tag_constants.TPU TRAINING=saved_model.tag_constants.TRAINING
        Builder=saved_model.builder.SavedModelBuilder
        build_signature_def=saved_model.signature_def_utils.build_signature_def
        build_tensor_info=saved_model.utils.build_tensor_info
        classification_signature_def=saved_model.signature_def_utils.classification_signature_def
        contains_saved_model=saved_model.loader.maybe_saved_model_directory
        get_tensor_from_tensor_info=saved_model.utils.get_tensor_from_tensor_info
        is_valid_signature=saved_model.signature_def_utils.is_valid_signature
        load=saved_model.loader.load main_op_with_restore=saved_model.main_op.main_op_with_restore
        maybe_saved_model_directory=saved_model.loader.maybe_saved_model_directory
        predict_signature_def=saved_model.signature_def_utils.predict_signature_def
        regression_signature_def=saved_model.signature_def_utils.regression_signature_def
    """,
    ".sets": """
        difference=sets.set_difference intersection=sets.set_intersection size=sets.set_size
        union=sets.set_union
    """,
    ".signal": """
        dct=spectral.dct idct=spectral.idct fft fft2d fft3d ifft ifft2d ifft3d
        irfft=spectral.irfft irfft2d=spectral.irfft2d irfft3d=spectral.irfft3d rfft=spectral.rfft
        rfft2d=spectral.rfft2d rfft3d=spectral.rfft3d
    """,
    ".sparse": """
        SparseConditionalAccumulator SparseTensor add=sparse_add concat=sparse_concat
        fill_empty_rows=sparse_fill_empty_rows
        mask=sparse_mask matmul=sparse_tensor_dense_matmul maximum=sparse_maximum
        merge=sparse_merge minimum=sparse_minimum placeholder=sparse_placeholder
        reduce_max=sparse_reduce_max reduce_max_sparse=sparse_reduce_max_sparse
        reduce_sum=sparse_reduce_sum reduce_sum_sparse=sparse_reduce_sum_sparse
        reorder=sparse_reorder reset_shape=sparse_reset_shape reshape=sparse_reshape
        retain=sparse_retain segment_mean=sparse_segment_mean segment_sqrt_n=sparse_segment_sqrt_n
        segment_sum=sparse_segment_sum slice=sparse_slice softmax=sparse_softmax
        sparse_dense_matmul=sparse_tensor_dense_matmul split=sparse_split
        to_dense=sparse_tensor_to_dense to_indicator=sparse_to_indicator
        transpose=sparse_transpose
    """,
    ".strings": """
        length=string_length lower=string_lower strip=string_strip substr upper=string_upper
        as_string join=string_join reduce_join regex_replace to_hash_bucket=string_to_hash_bucket
        to_hash_bucket_fast=string_to_hash_bucket_fast
        to_hash_bucket_strong=string_to_hash_bucket_strong to_number=string_to_number
    """,
    ".summary": """
        all_v2_summary_ops=contrib.summary.all_summary_ops
        create_file_writer=contrib.summary.create_file_writer
        initialize=contrib.summary.initialize record_if=contrib.summary.record_if
    """,
    ".train": """
        piecewise_constant_decay=train.piecewise_constant
    """,
    ".train.queue_runner": """
        QueueRunner=train.QueueRunner add_queue_runner=train.add_queue_runner
        start_queue_runners=train.start_queue_runners
    """,
    ".version": """
        GRAPH_DEF_VERSION GRAPH_DEF_VERSION_MIN_CONSUMER GRAPH_DEF_VERSION_MIN_PRODUCER
    """,
}

# For each module, by its path behind `tensorflow`, its names, and the paths of what they are.
SPELLINGS: dict[str, dict[str, str]] = {
    module: {
        name: f".{source or name}"
        for name, _, source in (word.partition("=") for word in words.split())
    }
    for module, words in _SPELLINGS.items()
}
