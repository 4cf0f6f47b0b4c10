(* The statement of every theorem, and what it rests on: "Closed under the global context" says that it is no axiom.
   What this file prints is kept in assumptions.txt and compared. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Printing Width 140.
From ExactRelu Require Import Farkas Polyhedron Omnidirectional LayerInjectivity Expansivity InverseStability RowRemoval.
From ExactRelu Require Import ProductSound InverseSound ModularSound RankSound RaySound MarginSound TrivialSound.
From ExactRelu Require Import LayerPolyhedron DimensionSound EmptySound Soundness CollisionSound InjectivitySound.

(* the checker, over every ordered field, and over the rationals *)
Check check_sound. Print Assumptions check_sound.
Definition check_sound_over_the_rationals := @check_sound rat_realFieldType.
Check check_sound_over_the_rationals. Print Assumptions check_sound_over_the_rationals.

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
Check collision_sound. Print Assumptions collision_sound.
Check layer_injective_sound. Print Assumptions layer_injective_sound.

Check product_exact. Print Assumptions product_exact.
(* the theory *)
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
