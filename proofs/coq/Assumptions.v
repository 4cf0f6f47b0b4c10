(* The statement of every theorem, and what it rests on: "Closed under the global context" says that it is no axiom.
   What this file prints is kept in assumptions.txt and compared. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Printing Width 140.
From ExactRelu Require Import Farkas Polyhedron Omnidirectional LayerInjectivity Expansivity InverseStability RowRemoval.
From ExactRelu Require Import ProductSound InverseSound ModularSound RankSound RaySound MarginSound TrivialSound.
From ExactRelu Require Import LayerPolyhedron DimensionSound EmptySound Soundness AffinePieces AffinePiecesSound.
From ExactRelu Require Import CasesSound CompositionSound ConvexDomains CollisionSound BiasLimitSound EchelonSound DependencySound CertainSound
  InjectivitySound SemidefiniteSound ExpansionSound FormsOnBalls RegionTreeSound
  SkipsSound DefiniteMatricesSound DefiniteSound Orientation OrientationSound IntervalsSound NetworkInjectivitySound.

(* the checker, over every ordered field, and over the rationals *)
Check check_sound. Print Assumptions check_sound.
Definition check_sound_over_the_rationals := @check_sound rat_realFieldType.
Check check_sound_over_the_rationals. Print Assumptions check_sound_over_the_rationals.
Check check_through_sound. Print Assumptions check_through_sound.
Definition check_through_sound_over_the_rationals := @check_through_sound rat_realFieldType.
Check check_through_sound_over_the_rationals. Print Assumptions check_through_sound_over_the_rationals.
Check check_collision_sound. Print Assumptions check_collision_sound.
Definition check_collision_sound_over_the_rationals := @check_collision_sound rat_realFieldType.
Check check_collision_sound_over_the_rationals. Print Assumptions check_collision_sound_over_the_rationals.
Check check_injective_sound. Print Assumptions check_injective_sound.
Definition check_injective_sound_over_the_rationals := @check_injective_sound rat_realFieldType.
Check check_injective_sound_over_the_rationals. Print Assumptions check_injective_sound_over_the_rationals.
Check check_bias_limit_sound. Print Assumptions check_bias_limit_sound.
Definition check_bias_limit_sound_over_the_rationals := @check_bias_limit_sound rat_realFieldType.
Check check_bias_limit_sound_over_the_rationals. Print Assumptions check_bias_limit_sound_over_the_rationals.
Check check_expansion_sound. Print Assumptions check_expansion_sound.
Definition check_expansion_sound_over_the_rationals := @check_expansion_sound rat_realFieldType.
Check check_expansion_sound_over_the_rationals. Print Assumptions check_expansion_sound_over_the_rationals.
Check check_network_injective_sound. Print Assumptions check_network_injective_sound.
Definition check_network_injective_sound_over_the_rationals := @check_network_injective_sound rat_realFieldType.
Check check_network_injective_sound_over_the_rationals. Print Assumptions check_network_injective_sound_over_the_rationals.

(* the activation regions of a tree of cells *)
Check check_patterns_sound. Print Assumptions check_patterns_sound.
Definition check_patterns_sound_over_the_rationals := @check_patterns_sound rat_realFieldType.
Check check_patterns_sound_over_the_rationals. Print Assumptions check_patterns_sound_over_the_rationals.
Check regions_of_sound. Print Assumptions regions_of_sound.
Check follows_sound. Print Assumptions follows_sound.
Check positive_inside. Print Assumptions positive_inside.

(* the steps of the checker *)
Check bound_inverse_sound. Print Assumptions bound_inverse_sound.
Check correction_sound. Print Assumptions correction_sound.
Check invertible_modulo_sound. Print Assumptions invertible_modulo_sound.
Check check_rank_sound. Print Assumptions check_rank_sound.
Check check_ray_sound. Print Assumptions check_ray_sound.
Check margin_holds_sound. Print Assumptions margin_holds_sound.
Check check_trivial_sound. Print Assumptions check_trivial_sound.
Check check_empty_sound. Print Assumptions check_empty_sound.
Check check_singleton_sound. Print Assumptions check_singleton_sound.
Check check_dimension_sound. Print Assumptions check_dimension_sound.
Check check_boundedness_sound. Print Assumptions check_boundedness_sound.
Check check_layer_sound. Print Assumptions check_layer_sound.
Check value_beside_sound. Print Assumptions value_beside_sound.
Check change_along_sound. Print Assumptions change_along_sound.
Check parts_ok_sound. Print Assumptions parts_ok_sound.
Check infinite_ok_sound. Print Assumptions infinite_ok_sound.
Check cases_ok_sound. Print Assumptions cases_ok_sound.
Check held_sound. Print Assumptions held_sound.
Check leaf_point_sound. Print Assumptions leaf_point_sound.
Check case_rows_sound. Print Assumptions case_rows_sound.
Check layer_of_rows_sound. Print Assumptions layer_of_rows_sound.
Check full_rank_modulo_sound. Print Assumptions full_rank_modulo_sound.
Check add_row_kills. Print Assumptions add_row_kills.
Check has_full_rank_kills. Print Assumptions has_full_rank_kills.
Check every_choice_spans_sound. Print Assumptions every_choice_spans_sound.
Check dependency_sound. Print Assumptions dependency_sound.
Check certain_entries_sound. Print Assumptions certain_entries_sound.
Check check_tree_sound. Print Assumptions check_tree_sound.
Check layer_is_injective_sound. Print Assumptions layer_is_injective_sound.
Check convex_contains_sound. Print Assumptions convex_contains_sound.
Check in_convex_domain_between. Print Assumptions in_convex_domain_between.
Check nowhere_negative_sound. Print Assumptions nowhere_negative_sound.
Check lowered_layer_value_sound. Print Assumptions lowered_layer_value_sound.
Check collision_above. Print Assumptions collision_above.
Check semidefinite_sound. Print Assumptions semidefinite_sound.
Check bounded_below_sound. Print Assumptions bounded_below_sound.
Check stages_ok_sound. Print Assumptions stages_ok_sound.
Check ends_after_sound. Print Assumptions ends_after_sound.
Check image_sound. Print Assumptions image_sound.
Check blocks_ok_sound. Print Assumptions blocks_ok_sound.
Check check_definite_sound. Print Assumptions check_definite_sound.
Check definite_in_sound. Print Assumptions definite_in_sound.
Check check_orientation_sound. Print Assumptions check_orientation_sound.
Check orientation_injective. Print Assumptions orientation_injective.
Check definite_bilinear. Print Assumptions definite_bilinear.

Check product_exact. Print Assumptions product_exact.
(* the theory *)
Check layers_affine_between. Print Assumptions layers_affine_between.
Check layers_affine_along. Print Assumptions layers_affine_along.
Check segment_infinite. Print Assumptions segment_infinite.
Check ray_unbounded. Print Assumptions ray_unbounded.
Check dimension_infinite. Print Assumptions dimension_infinite.
Check preimage_polyhedron. Print Assumptions preimage_polyhedron.
Check farkas. Print Assumptions farkas.
Check singleton_iff_tight_cone_trivial. Print Assumptions singleton_iff_tight_cone_trivial.
Check bounded_iff_recession_cone_trivial. Print Assumptions bounded_iff_recession_cone_trivial.
Check singleton_or_segment. Print Assumptions singleton_or_segment.
Check dimension_by_implicit_equalities. Print Assumptions dimension_by_implicit_equalities.
Check affine_dimension_unique. Print Assumptions affine_dimension_unique.
Check trivial_by_positive_dependency. Print Assumptions trivial_by_positive_dependency.
Check omnidirectional_equivalences. Print Assumptions omnidirectional_equivalences.
Check unique_solution_iff_tight_rows_omnidirectional. Print Assumptions unique_solution_iff_tight_rows_omnidirectional.
Check layer_injective_iff_directed_spanning_sets. Print Assumptions layer_injective_iff_directed_spanning_sets.
Check layer_with_negative_bias_injective. Print Assumptions layer_with_negative_bias_injective.
Check layer_without_negative_bias_row_not_injective. Print Assumptions layer_without_negative_bias_row_not_injective.
Check injective_layer_doubles_dimension. Print Assumptions injective_layer_doubles_dimension.
Check layer_with_biases_injective_iff_opposite_blocks. Print Assumptions layer_with_biases_injective_iff_opposite_blocks.
Check inverse_stability. Print Assumptions inverse_stability.
Check quarter_is_best_constant. Print Assumptions quarter_is_best_constant.
Check weakly_correlated_row_bounds_singular_values. Print Assumptions weakly_correlated_row_bounds_singular_values.
