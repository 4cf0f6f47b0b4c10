(* The name and the statement of every theorem of README.md, in one list, and what the list rests on: "Closed under the global context"
   says that it is no axiom.  Were there one below any theorem of the list, it would be printed instead.  What this file prints is kept in
   assumptions.txt and compared. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Printing Width 140.
From ExactRelu Require Import Farkas Polyhedron Omnidirectional LayerInjectivity Expansivity InverseStability RowRemoval.
From ExactRelu Require Import ProductSound InverseSound ModularSound RankSound RaySound MarginSound TrivialSound.
From ExactRelu Require Import EvaluationSound LayerPolyhedron SystemsSound DimensionSound EmptySound Soundness AffinePieces AffinePiecesSound.
From ExactRelu Require Import CasesSound CompositionSound ConvexDomains CollisionSound BiasLimitSound EchelonSound DependencySound CertainSound
  InjectivitySound WindowsSound SemidefiniteSound ExpansionSound FormsOnBalls RegionTreeSound
  SkipsSound DefiniteMatricesSound DefiniteSound OrientationCells Orientation OrientationDeterminants OrientationSound IntervalsSound
  NetworkInjectivitySound.

(* a statement with its proof, printed as the proof's name and the statement *)
Inductive theorem : Type := Proved (statement : Prop) (proof : statement).
Arguments Proved {statement} proof.
Notation "proof 'states' statement" := (@Proved statement proof)
  (at level 200, statement at level 200, only printing, format "'[v  ' proof '/' 'states'  statement ']'").

Definition every_theorem : seq theorem :=
  (* the checker, over every ordered field, and over the rationals *)
  Proved (@check_sound) ::
  Proved (@check_sound rat_realFieldType) ::
  Proved (@check_through_sound) ::
  Proved (@check_through_sound rat_realFieldType) ::
  Proved (@check_collision_sound) ::
  Proved (@check_collision_sound rat_realFieldType) ::
  Proved (@check_injective_sound) ::
  Proved (@check_injective_sound rat_realFieldType) ::
  Proved (@check_sparse_injective_sound) ::
  Proved (@check_sparse_injective_sound rat_realFieldType) ::
  Proved (@check_bias_limit_sound) ::
  Proved (@check_bias_limit_sound rat_realFieldType) ::
  Proved (@check_expansion_sound) ::
  Proved (@check_expansion_sound rat_realFieldType) ::
  Proved (@check_network_injective_sound) ::
  Proved (@check_network_injective_sound rat_realFieldType) ::
  (* the activation regions of a tree of cells *)
  Proved (@check_patterns_sound) ::
  Proved (@check_patterns_sound rat_realFieldType) ::
  Proved (@regions_of_sound) ::
  Proved (@follows_sound) ::
  Proved (@positive_inside) ::
  (* the steps of the checker *)
  Proved (@product_exact) ::
  Proved (@network_ok_widths_agree) ::
  Proved (@point_ok_is_point) ::
  Proved (@domain_ok_is_domain) ::
  Proved (@same_point_sound) ::
  Proved (@contains_sound) ::
  Proved (@row_values_sound) ::
  Proved (@layer_value_sound) ::
  Proved (@value_through_sound) ::
  Proved (@bound_inverse_sound) ::
  Proved (@correction_sound) ::
  Proved (@invertible_modulo_sound) ::
  Proved (@check_rank_sound) ::
  Proved (@check_ray_sound) ::
  Proved (@margin_holds_sound) ::
  Proved (@exact_multipliers_sound) ::
  Proved (@check_trivial_sound) ::
  Proved (@tight_cone_system) ::
  Proved (@tight_condition_entry) ::
  Proved (@recession_cone_system) ::
  Proved (@system_recession_cone) ::
  Proved (@homogenised_sound) ::
  Proved (@farkas_sound) ::
  Proved (@check_empty_sound) ::
  Proved (@check_singleton_sound) ::
  Proved (@check_dimension_sound) ::
  Proved (@check_boundedness_sound) ::
  Proved (@check_layer_sound) ::
  Proved (@value_beside_sound) ::
  Proved (@change_along_sound) ::
  Proved (@domain_contains_direction_sound) ::
  Proved (@stages_rcons) ::
  Proved (@image_in_domain) ::
  Proved (@parts_ok_sound) ::
  Proved (@infinite_ok_sound) ::
  Proved (@cases_ok_sound) ::
  Proved (@held_sound) ::
  Proved (@leaf_point_sound) ::
  Proved (@case_rows_sound) ::
  Proved (@layer_of_rows_sound) ::
  Proved (@full_rank_modulo_sound) ::
  Proved (@add_row_kills) ::
  Proved (@has_full_rank_kills) ::
  Proved (@every_choice_spans_sound) ::
  Proved (@dependency_sound) ::
  Proved (@certain_entries_sound) ::
  Proved (@check_tree_sound) ::
  Proved (@layer_is_injective_sound) ::
  Proved (@windows_ok_sound) ::
  Proved (@injective_by_evidence_sound) ::
  Proved (@convex_contains_sound) ::
  Proved (@in_convex_domain_between) ::
  Proved (@nowhere_negative_sound) ::
  Proved (@lowered_layer_value_sound) ::
  Proved (@collision_above_limit) ::
  Proved (@semidefinite_sound) ::
  Proved (@bounded_below_sound) ::
  Proved (@stages_ok_sound) ::
  Proved (@ends_after_sound) ::
  Proved (@image_sound) ::
  Proved (@blocks_ok_sound) ::
  Proved (@check_definite_sound) ::
  Proved (@definite_in_sound) ::
  Proved (@check_orientation_sound) ::
  Proved (@determinant_sign_sound) ::
  Proved (@definite_form_positive) ::
  (* the theory *)
  Proved (@layers_affine_between) ::
  Proved (@layers_affine_along) ::
  Proved (@segment_infinite) ::
  Proved (@ray_unbounded) ::
  Proved (@dimension_infinite) ::
  Proved (@preimage_polyhedron) ::
  Proved (@farkas) ::
  Proved (@singleton_iff_tight_cone_trivial) ::
  Proved (@bounded_iff_recession_cone_trivial) ::
  Proved (@singleton_or_segment) ::
  Proved (@dimension_by_implicit_equalities) ::
  Proved (@affine_dimension_unique) ::
  Proved (@trivial_by_positive_dependency) ::
  Proved (@omnidirectional_equivalences) ::
  Proved (@omnidirectional_for_point) ::
  Proved (@unique_solution_iff_tight_rows_omnidirectional) ::
  Proved (@layer_injective_iff_directed_spanning_sets) ::
  Proved (@layer_with_negative_bias_injective) ::
  Proved (@layer_without_negative_bias_row_not_injective) ::
  Proved (@injective_layer_doubles_dimension) ::
  Proved (@layer_with_biases_injective_iff_opposite_blocks) ::
  Proved (@orientation_injective) ::
  Proved (@orientation_injective_on_cells) ::
  Proved (@inverse_stability) ::
  Proved (@quarter_is_best_constant) ::
  Proved (@weakly_correlated_row_bounds_singular_values) ::
  [::].

Print every_theorem.
Print Assumptions every_theorem.
